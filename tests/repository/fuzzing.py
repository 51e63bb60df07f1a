"""Malformed input for everything that reads what others wrote: files, packets, payloads.

Each reader takes an input and either accepts it or raises a `DriftpilotError`; what reads a noisy
line drops it without a word. Anything else is a finding: another exception, the end of the process,
too much time or memory for one input. Inputs are valid ones, damaged; where a checksum guards the
door, half of them get a right one, so that what lies behind it is reached as well.

Usage:
    python tests/repository/fuzzing.py --inputs 100000
    python tests/repository/fuzzing.py --repeat "bag (MCAP)" 231 245
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from episode_recorder.bag_metadata import load_metadata
from episode_recorder.mcap_reader import McapReader
from episode_recorder.mcap_repair import seal
from episode_recorder.mcap_writer import McapWriter
from fuzz_runner import Reader, main
from go2_bridge.wire import (
    HEADER,
    LOW_STATE_BYTES,
    SPORT_STATE_BYTES,
    decode_low_state,
    decode_sport_state,
    is_low_state,
    low_state_is_intact,
)
from planner.planner_parameters import PlannerParameters
from planner_core.bundle import load_bundle
from planner_core.inference import Graph
from planner_core.parameters import parse
from planner_core.robots import load_robot
from planner_core.world import load_world
from robot_simulation.crazyflie.crtp import Packet, Port
from robot_simulation.crazyflie.simulation import CrazyflieSimulation
from robot_simulation.go2 import wire as robot_wire
from robot_simulation.so100.packets import RequestReader, encoded
from robot_simulation.so100.simulation import ArmSimulation, SimulationSettings
from so100_bridge import calibration
from trajectory_learning.checkpoint import Checkpoint, load_checkpoint
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems.navigation import NavigationModel
from trajectory_learning.training import TrainingConfig

REPOSITORY = Path(__file__).resolve().parents[2]
METADATA = b"""rosbag2_bagfile_information:
  version: 9
  storage_identifier: mcap
  relative_file_paths: [seed.mcap]
  custom_data: {parameters: '{"a": [1, 2]}'}
  ros_distro: jazzy
  topics_with_message_count:
    - topic_metadata:
        name: /a
        type: std_msgs/msg/String
        type_description_hash: RIHS01_00
        offered_qos_profiles: [{depth: 5}]
      message_count: 40
"""
TOKENS = [
    b"nan", b".inf", b"-1", b"0", b"1e309", b"[]", b"{}", b"null", b"''", b"true", b"2026-01-01",
    b"99999999999999999999", b"-0.0", b"!!python/object/apply:os.system ['exit 1']", b"&a [*a]",
    b"[" * 400, b"{a: " * 400, b"\xff\xfe", b"\x00", b"../../etc/passwd", b"x" * 5000,
]  # fmt: skip
"""What a field of a text is replaced with."""


def damaged(seed: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one to six places changed, cut, doubled, or moved."""
    data = bytearray(seed)
    for _ in range(int(rng.integers(1, 7))):
        if not data:
            break
        a, b = sorted(int(v) for v in rng.integers(0, len(data) + 1, 2))
        b = min(b, a + 64)
        match int(rng.integers(6)):
            case 0:
                data[min(a, len(data) - 1)] ^= 1 << int(rng.integers(8))
            case 1:
                data[a:b] = rng.bytes(b - a)
            case 2:
                del data[a:b]
            case 3:
                data[a:a] = data[a:b]
            case 4:
                data[a : a + 4] = struct.pack("<I", [0, 1, 2**31, 2**32 - 1][int(rng.integers(4))])
            case 5 if rng.random() < 0.2:
                del data[a:]
    return bytes(data)


def mangled(seed: bytes, rng: np.random.Generator) -> bytes:
    """A text of which some words are others, or lines are lost; sometimes merely damaged."""
    if rng.random() < 0.25:
        return damaged(seed, rng)
    data = seed
    for _ in range(int(rng.integers(1, 4))):
        words = list(re.finditer(rb"[\w.+-]+", data))
        if not words:
            break
        word = words[int(rng.integers(len(words)))]
        data = data[: word.start()] + TOKENS[int(rng.integers(len(TOKENS)))] + data[word.end() :]
    if rng.random() < 0.2:
        lines = data.splitlines(keepends=True)
        del lines[int(rng.integers(len(lines)))]
        data = b"".join(lines)
    return data


class Malformed:
    """Readers, each fed with one input.

    Args:
        folder: Empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._world = (REPOSITORY / "config/worlds/cluttered_room.yaml").read_bytes()
        self._parameters = (REPOSITORY / "config/planner_server.yaml").read_bytes()
        self._bundle = folder / "bundle"
        shutil.copytree(REPOSITORY / "models/crazyflie_navigation_bc", self._bundle)
        self._manifest = (self._bundle / "manifest.yaml").read_bytes()
        self._onnx = (self._bundle / "model.onnx").read_bytes()
        self._bundled = load_bundle(self._bundle)
        # Looking for what is installed takes longer than most readers.
        self._drone, self._so100 = load_robot("crazyflie"), load_robot("so100")
        arm = self._so100
        counts = np.rint((arm.upper - arm.lower) * 4096 / (2 * np.pi)).astype(int).tolist()
        joints = {
            name: {"id": i + 1, "drive_mode": 0, "homing_offset": 5,
                   "range_min": 2048 - wide // 2, "range_max": 2048 + wide // 2}
            for i, (name, wide) in enumerate(zip(arm.names, counts, strict=True))
        }  # fmt: skip
        self._calibration = json.dumps(joints).encode()
        writer = McapWriter(folder / "seed.mcap")
        number = writer.add_channel("/a", "std_msgs/msg/String", "string data\n", {"key": "value"})
        for i in range(40):
            writer.write(number, 1000 + i, 1000 + i, bytes([i]) * 30)
            if i % 10 == 9:
                writer.flush()
        writer.close({"serialized_metadata": "{}"})
        self._bag = (folder / "seed.mcap").read_bytes()
        sizes = LateBranchConfig(
            trunk_width=32, trunk_blocks=1, branch_width=16, noise=4, value_width=8
        )
        model = NavigationModel(48, 32, 0.1, sizes)
        Checkpoint(model, sizes, TrainingConfig(), 32, 0.1, 48, 4.0, {}, {}).save(
            folder / "seed.safetensors"
        )
        self._checkpoint = (folder / "seed.safetensors").read_bytes()
        self._crazyflie = CrazyflieSimulation(
            load_world(REPOSITORY / "config/worlds/empty_room.yaml")
        )
        self._arm = ArmSimulation(SimulationSettings())
        self._arm_reader = RequestReader()
        self._low_state = robot_wire.encode_low_state(robot_wire.new_low_state())

    def all(self) -> dict[str, Reader]:
        """By name."""
        return {
            "parameters (YAML)": self.parameters,
            "world (YAML)": self.world,
            "bundle manifest (YAML)": self.manifest,
            "bundle graph (ONNX)": self.graph,
            "bag (MCAP)": self.bag,
            "bag repair (MCAP)": self.bag_repair,
            "bag metadata (YAML)": self.bag_metadata,
            "arm calibration (JSON)": self.calibration,
            "checkpoint (safetensors)": self.checkpoint,
            "Crazyflie packets (CRTP)": self.crazyflie,
            "servo bus (Feetech)": self.servo_bus,
            "LowState and SportModeState (DDS)": self.go2_states,
            "LowCmd (DDS)": self.go2_commands,
        }

    def _file(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path

    def parameters(self, rng: np.random.Generator) -> None:
        """Values by name, of whatever types YAML makes of them."""
        text = mangled(self._parameters, rng)
        try:
            tree = yaml.safe_load(text)
            values = tree["/**/planner_server"]["ros__parameters"]
            pairs = {str(name): value for name, value in values.items()}
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError, LookupError, TypeError,
                AttributeError, ValueError):  # fmt: skip
            return  # ROS reads these files: what is not a tree of names never comes to us.
        parse(PlannerParameters, pairs)

    def world(self, rng: np.random.Generator) -> None:
        load_world(self._file("world.yaml", mangled(self._world, rng)))

    def manifest(self, rng: np.random.Generator) -> None:
        (self._bundle / "manifest.yaml").write_bytes(mangled(self._manifest, rng))
        load_bundle(self._bundle).require_robot(self._drone)

    def graph(self, rng: np.random.Generator) -> None:
        """Of a bundle that somebody has sealed again, so that its hash is right."""
        content = damaged(self._onnx, rng)
        for name in self._bundled.graphs:
            Graph(replace(self._bundled, graphs={name: content}), name, "cpu")

    def bag(self, rng: np.random.Generator) -> None:
        reader = McapReader(self._file("bag.mcap", damaged(self._bag, rng)))
        for message in reader.messages():
            assert isinstance(message.data, bytes | memoryview)

    def bag_repair(self, rng: np.random.Generator) -> None:
        path = self._file("cut.mcap", damaged(self._bag, rng))
        seal(path, {})
        # What was repaired is readable from beginning to end.
        for _message in McapReader(path).messages():
            pass

    def bag_metadata(self, rng: np.random.Generator) -> None:
        """Of a whole bag; what is recorded is read when it is asked for."""
        self._file("metadata.yaml", mangled(METADATA, rng))
        load_metadata(self._folder).custom_json("parameters")

    def calibration(self, rng: np.random.Generator) -> None:
        path = self._file("calibration.json", mangled(self._calibration, rng))
        calibration.load(path, self._so100)

    def checkpoint(self, rng: np.random.Generator) -> None:
        content = self._checkpoint
        size = struct.unpack("<Q", content[:8])[0]
        if rng.random() < 0.5:
            head = mangled(content[8 : 8 + size], rng)
            content = struct.pack("<Q", len(head)) + head + content[8 + size :]
        else:
            content = damaged(content, rng)
        load_checkpoint(self._file("checkpoint.safetensors", content))

    def crazyflie(self, rng: np.random.Generator) -> None:
        """A datagram, as the server takes it; the flight goes on meanwhile."""
        port = int(rng.choice([int(p) for p in Port])) if rng.random() < 0.8 else 15
        data = rng.bytes(int(rng.integers(0, 34)))
        if rng.random() < 0.3 and data:
            data = bytes([int(rng.integers(0, 8))]) + data[1:]
        try:
            packet = Packet.decoded(bytes([(port << 4) | int(rng.integers(4))]) + data)
        except ValueError:
            return  # As the server does: noise on the air.
        self._crazyflie.receive(packet)
        self._crazyflie.step()

    def servo_bus(self, rng: np.random.Generator) -> None:
        parameters = rng.bytes(int(rng.integers(0, 20)))
        code = int(rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 0x82, 0x83, int(rng.integers(256))]))
        packet = encoded(int(rng.choice([1, 6, 7, 254, int(rng.integers(255))])), code, parameters)
        if rng.random() < 0.5:
            packet = damaged(packet, rng)
        for request in self._arm_reader.feed(packet):
            self._arm.bus.answers(request)
        if rng.random() < 0.1:
            self._arm.step()

    def go2_states(self, rng: np.random.Generator) -> None:
        payload = bytearray(self._low_state)
        payload[4:] = rng.bytes(len(payload) - 4)
        if rng.random() < 0.5:
            payload = bytearray(damaged(bytes(payload), rng))
        if is_low_state(bytes(payload)):
            low_state_is_intact(bytes(payload))
            decode_low_state(bytes(payload))
        sport = HEADER + rng.bytes(SPORT_STATE_BYTES + int(rng.integers(-3, 5)))
        decode_sport_state(sport if rng.random() < 0.5 else damaged(sport, rng))
        assert len(self._low_state) == LOW_STATE_BYTES + len(HEADER)

    def go2_commands(self, rng: np.random.Generator) -> None:
        payload = robot_wire.HEADER + rng.bytes(
            robot_wire.LOW_CMD_BYTES + int(rng.integers(-2, 10))
        )
        command = robot_wire.decode_low_cmd(
            damaged(payload, rng) if rng.random() < 0.5 else payload
        )
        if command is not None:
            robot_wire.crc(command.tobytes())


def readers(folder: Path) -> dict[str, Reader]:
    """Every reader by name, with an empty folder to work in."""
    return Malformed(folder).all()


if __name__ == "__main__":
    sys.exit(main(readers, __doc__))
