"""Pages: each a noun, with routes that ask rpcscope.query and fill a template."""
