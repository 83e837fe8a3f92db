"""Options of the executor `ray`."""

import attrs


@attrs.frozen
class RayOptions:
    """Options of the executor `ray`.

    Attributes:
        address: of a running cluster, `"auto"` for the one of this machine; default: what the environment variable
            RAY_ADDRESS says, and without it a cluster of its own, on this machine, for as long as the run takes.
        workers: processes that answer prompts; they share the limits of each generator.
        cpus: logical CPUs of one worker; workers wait for servers most of the time.
        block: prompts that a worker gets at once, at most.
        portion: prompts that are on their way at once; bounds the memory of the machine that runs genre.
    """

    address: str | None = None
    workers: int = attrs.field(default=2, validator=attrs.validators.gt(0))
    cpus: float = attrs.field(default=0.5, validator=attrs.validators.gt(0))
    block: int = attrs.field(default=1000, validator=attrs.validators.gt(0))
    portion: int = attrs.field(default=50_000, validator=attrs.validators.gt(0))
