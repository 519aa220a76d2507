"""What is stored, as files: tables as Parquet, CSV or JSON lines; operations for Jaeger's page and as Mermaid."""
