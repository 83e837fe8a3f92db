"""llama.cpp's server, run inside this process behind a loopback address."""

from pathlib import Path
from typing import Any


def serve(weights: Path, *, name: str, key: str, context: int, parallel: int, threads: int) -> tuple[object, str]:
    """A running server, which stops when it is freed, and its address.

    Args:
        weights: a GGUF file.
        name: what the server calls its model.
        key: the API key that it wants.
        context: tokens of one prompt and its answer together.
        parallel: prompts that are decoded together.
        threads: CPU threads.

    Raises:
        RuntimeError: llama.cpp cannot load the weights.
    """
    import xllamacpp

    params: Any = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = [name]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = -1
    params.n_parallel = parallel
    params.n_ctx = context * parallel
    params.fit_params = False  # the context is what the options say, whatever memory is free
    params.cache_ram_mib = 0  # prompts are asked once: keeping old ones costs memory and wins nothing
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    return server, str(server.listening_address)
