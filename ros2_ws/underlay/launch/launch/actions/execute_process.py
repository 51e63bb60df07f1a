"""Action: run a command."""

from collections.abc import Iterable
from typing import Any

from ..descriptions import Executable
from ..descriptions.executable import SomeEnvironment
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from .execute_local import ExecuteLocal


class ExecuteProcess(ExecuteLocal):
    """Run a command as a process on this machine."""

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: SomeEnvironment | None = None,
        additional_env: SomeEnvironment | None = None,
        **kwargs: Any,
    ) -> None:
        """Create the action; see Executable for the arguments and ExecuteLocal for the rest."""
        executable = Executable(
            cmd=cmd, prefix=prefix, name=name, cwd=cwd, env=env, additional_env=additional_env
        )
        super().__init__(process_description=executable, **kwargs)

    @property
    def name(self) -> str | list[Substitution] | None:
        """Label ``name-N`` once the process is prepared, before that its substitutions."""
        return self.process_description.final_name or self.process_description.name

    @property
    def cmd(self) -> list[Any]:
        """Command line once the process is prepared, before that its substitutions."""
        return self.process_description.final_cmd or self.process_description.cmd

    @property
    def cwd(self) -> str | list[Substitution] | None:
        """Working directory once the process is prepared, before that its substitutions."""
        return self.process_description.final_cwd or self.process_description.cwd

    @property
    def env(self) -> Any:
        """Environment once the process is prepared, before that its substitutions."""
        return self.process_description.final_env or self.process_description.env

    @property
    def additional_env(self) -> Any:
        """Additional environment, before substitution."""
        return self.process_description.additional_env
