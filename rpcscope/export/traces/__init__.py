"""Operations as OpenTelemetry traces, sent over OTLP.

    stored operations -> spans (pure) -> encode (bytes of OTLP) -> send (HTTP or gRPC) -> an endpoint

`spans` says what an operation looks like as a trace, `encode` how a trace looks on the wire, `transport` how it gets
there, `courier` what becomes of it when the endpoint is down, slow or refuses.
"""
