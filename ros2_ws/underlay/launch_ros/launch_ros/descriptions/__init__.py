"""Descriptions of parameters."""

from launch._unsupported import refuse_names

from ..parameter_descriptions import Parameter, ParameterFile, ParameterValue

__all__ = ["Parameter", "ParameterFile", "ParameterValue"]

__getattr__ = refuse_names(
    __name__, {"ComposableLifecycleNode", "ComposableNode", "Node", "NodeTrait", "RosExecutable"}
)
