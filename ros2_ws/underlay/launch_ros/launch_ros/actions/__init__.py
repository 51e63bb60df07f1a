"""Actions for ROS nodes."""

from launch._unsupported import refuse_names

from .lifecycle_node import LifecycleNode
from .node import Node
from .push_ros_namespace import PushROSNamespace, PushRosNamespace
from .set_parameter import SetParameter
from .set_parameters_from_file import SetParametersFromFile
from .set_remap import SetRemap
from .set_use_sim_time import SetUseSimTime

__all__ = [
    "LifecycleNode",
    "Node",
    "PushROSNamespace",
    "PushRosNamespace",
    "SetParameter",
    "SetParametersFromFile",
    "SetRemap",
    "SetUseSimTime",
]

__getattr__ = refuse_names(
    __name__,
    {
        "ComposableNodeContainer",
        "LifecycleTransition",
        "LoadComposableNodes",
        "RosTimer",
        "SetROSLogDir",
        "SetRosLogDir",
    },
)
