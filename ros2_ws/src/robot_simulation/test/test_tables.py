"""Golden bytes of the log and parameter ports."""

from __future__ import annotations

import errno
import math
import struct
from dataclasses import dataclass

import pytest
from crazyflie_pilot import Pilot
from robot_simulation.crazyflie.crtp import Packet, Port
from robot_simulation.crazyflie.log_service import LogService, LogType, LogVariable
from robot_simulation.crazyflie.param_service import Parameter, ParamService, ParamType
from robot_simulation.crazyflie.toc import TableOfContents


def log_service(count: int = 3) -> LogService:
    kinds = [("a.x", LogType.FLOAT, 1.5), ("a.flag", LogType.U8, 258.0), ("b.n", LogType.I16, -2.0)]
    extra = [(f"c.v{i}", LogType.FLOAT, float(i)) for i in range(count - 3)]
    return LogService([LogVariable(n, k, lambda v=v: v) for n, k, v in kinds + extra])


def ask_log(service: LogService, channel: int, text: str) -> str | None:
    reply = service.receive(Packet(Port.LOG, channel, bytes.fromhex(text)))
    return None if reply is None else reply.encoded().hex()


def test_log_table() -> None:
    service = log_service()
    checksum = struct.pack("<I", service.toc.checksum).hex()
    assert ask_log(service, 0, "03") == "5c" + "03" + "0300" + checksum + "1080"
    assert ask_log(service, 0, "020000") == "5c" + "020000" + "07" + b"a\0x\0".hex()
    assert ask_log(service, 0, "020100") == "5c" + "020100" + "01" + b"a\0flag\0".hex()
    assert ask_log(service, 0, "020900") == "5c020900", "an unknown index has no item"
    assert ask_log(service, 0, "00") is None


def test_checksum_follows_the_table() -> None:
    one = LogVariable("a.x", LogType.FLOAT, lambda: 0.0)
    other_type = LogVariable("a.x", LogType.HALF, lambda: 0.0)
    other_name = LogVariable("a.y", LogType.FLOAT, lambda: 0.0)
    tables = [[one], [other_type], [other_name], [one, other_name], [other_name, one]]
    assert len({TableOfContents(table).checksum for table in tables}) == len(tables)


def test_log_and_parameter_tables_of_the_vehicle_differ() -> None:
    firmware = Pilot.in_room().simulation.firmware
    assert firmware.logs.toc.checksum != firmware.params.toc.checksum


@pytest.mark.parametrize("name", ["nodot", "group." + "x" * 30])
def test_names_that_no_client_could_read_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="fits in a packet"):
        TableOfContents([LogVariable(name, LogType.U8, lambda: 0.0)])


def test_double_names_are_refused() -> None:
    variable = LogVariable("a.x", LogType.U8, lambda: 0.0)
    with pytest.raises(ValueError, match="twice"):
        TableOfContents([variable, variable])


def test_log_block_from_creation_to_deletion() -> None:
    service = log_service()
    assert ask_log(service, 1, "0601" + "070000" + "010100") == "5d060100"
    assert ask_log(service, 1, "0701" + "050200") == "5d070100"
    assert list(service.due(2)) == [], "created is not started"
    assert ask_log(service, 1, "030102") == "5d030100"
    assert list(service.due(3)) == []
    (packet,) = service.due(4)
    # Block 1 at 40 ms: 1.5, 258 cut to eight bits, -2.
    assert packet.encoded().hex() == "5e" + "01" + "280000" + "0000c03f" + "02" + "feff"
    assert ask_log(service, 1, "0401") == "5d040100"
    assert list(service.due(4)) == []
    assert ask_log(service, 1, "0201") == "5d020100"
    assert ask_log(service, 1, "030102") == f"5d0301{errno.ENOENT:02x}"
    assert ask_log(service, 1, "05") == "5d050000"


@pytest.mark.parametrize(
    ("fetch_as", "sent"), [("08", "003e"), ("01", "01"), ("03", "01000000"), ("47", "0000c03f")]
)
def test_variables_are_sent_in_the_format_asked_for(fetch_as: str, sent: str) -> None:
    service = log_service()
    ask_log(service, 1, "0601" + fetch_as + "0000")
    ask_log(service, 1, "030101")
    (packet,) = service.due(1)
    assert packet.data[4:].hex() == sent


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("0601" + "070000" * 7, errno.E2BIG),
        ("0601" + "070900", errno.ENOENT),
        ("0601" + "0f0000", errno.ENOENT),
        ("0601" + "0700", errno.ENOEXEC),
        ("0301", errno.ENOENT),
        ("09", errno.ENOEXEC),
    ],
)
def test_log_requests_that_are_refused(text: str, status: int) -> None:
    assert ask_log(log_service(), 1, text)[-2:] == f"{status:02x}"


def test_log_limits() -> None:
    service = log_service()
    for block in range(16):
        assert ask_log(service, 1, f"06{block:02x}" + "010100" * 8)[-2:] == "00"
    assert ask_log(service, 1, "0600010100")[-2:] == f"{errno.EEXIST:02x}"
    assert ask_log(service, 1, "0610010100")[-2:] == f"{errno.ENOMEM:02x}"
    assert ask_log(service, 1, "0700010100")[-2:] == f"{errno.ENOMEM:02x}", "128 variables"


@dataclass
class Owner:
    gain: float = 2.0
    enabled: bool = True


def param_service() -> tuple[ParamService, Owner]:
    owner = Owner()
    return ParamService(
        [
            Parameter.bound("g.gain", ParamType.FLOAT, owner, "gain"),
            Parameter.bound("g.on", ParamType.U8, owner, "enabled"),
            Parameter.constant("g.rev", ParamType.U32, 7),
        ]
    ), owner


def ask_param(service: ParamService, channel: int, text: str) -> str | None:
    reply = service.receive(Packet(Port.PARAM, channel, bytes.fromhex(text)))
    return None if reply is None else reply.encoded().hex()


def test_parameter_table() -> None:
    service, _ = param_service()
    checksum = struct.pack("<I", service.toc.checksum).hex()
    assert ask_param(service, 0, "03") == "2c" + "03" + "0300" + checksum + "1080"
    assert ask_param(service, 0, "020000") == "2c" + "020000" + "06" + b"g\0gain\0".hex()
    assert ask_param(service, 0, "020200") == "2c" + "020200" + "4a" + b"g\0rev\0".hex()


def test_parameters_are_read_and_written() -> None:
    service, owner = param_service()
    assert ask_param(service, 1, "0000") == "2d" + "0000" + "00" + "00000040"
    assert ask_param(service, 2, "0000" + "0000803f") == "2e" + "0000" + "0000803f"
    assert owner.gain == 1.0
    assert ask_param(service, 2, "0100" + "00") == "2e" + "0100" + "00"
    assert owner.enabled is False
    assert ask_param(service, 1, "0200") == "2d" + "0200" + "00" + "07000000"


def test_parameter_requests_that_are_refused() -> None:
    service, owner = param_service()
    assert ask_param(service, 1, "0900") == "2d" + "0900" + "02"
    assert ask_param(service, 2, "090000") == "2e" + "0900" + "02"
    assert ask_param(service, 2, "0200" + "08000000") is None, "read-only"
    assert ask_param(service, 2, "0000" + "00") is None, "wrong length"
    assert ask_param(service, 2, "0000" + "0000c07f") == "2e" + "0000" + "00000040"
    assert math.isfinite(owner.gain)


def test_miscellaneous_parameter_commands() -> None:
    service, owner = param_service()
    ask_param(service, 2, "0000" + "0000803f")
    assert ask_param(service, 3, "070000") == "2f" + "070000" + "00" + "00"
    assert ask_param(service, 3, "070900") == "2f" + "070900" + "02"
    assert ask_param(service, 3, "080000") == "2f" + "080000" + "00" + "00000040", "the default"
    name = b"g\0gain\0".hex()
    assert ask_param(service, 3, "00" + name + "06" + "0000c03f") == "2f" + "00" + name + "00"
    assert owner.gain == 1.5
    assert ask_param(service, 3, "00" + b"g\0no\0".hex() + "06" + "0000c03f")[-2:] == "02"


def test_every_log_variable_of_the_vehicle_can_be_sent() -> None:
    pilot = Pilot.in_room()
    pilot.hover()
    logs = pilot.simulation.firmware.logs
    for index, variable in enumerate(logs._variables):
        logs.receive(Packet(Port.LOG, 1, b"\x05"))
        block = struct.pack("<BBBH", 6, 1, variable.toc_type, index)
        assert logs.receive(Packet(Port.LOG, 1, block)).data[2] == 0
        logs.receive(Packet(Port.LOG, 1, b"\x03\x01\x01"))
        assert len(list(logs.due(1))) == 1


def test_pitch_is_logged_nose_up_positive() -> None:
    pilot = Pilot.in_room()
    firmware = pilot.simulation.firmware
    firmware.estimator.estimate.attitude = (math.cos(0.05), 0.0, math.sin(0.05), 0.0)
    by_name = {variable.name: variable for variable in firmware.logs._variables}
    assert by_name["stateEstimate.pitch"].read() == pytest.approx(-math.degrees(0.1))
    assert by_name["acc.z"].read() == pytest.approx(1.0, abs=0.05), "in units of gravity"


def test_parameters_of_the_vehicle_act() -> None:
    pilot = Pilot.in_room()
    firmware = pilot.simulation.firmware
    index = [p.name for p in firmware.params._parameters].index
    firmware.estimator.estimate.position = (9.0, 9.0, 9.0)
    reset = struct.pack("<HB", index("kalman.resetEstimation"), 1)
    assert pilot.ask(Port.PARAM, 2, reset) is not None
    assert firmware.estimator.estimate.position == (0.0, 0.0, 0.0)
    pilot.ask(Port.PARAM, 2, struct.pack("<HH", index("supervisor.levelTimeout"), 250))
    assert firmware.supervisor.times.level_out_s == 0.25
    pilot.ask(Port.PARAM, 2, struct.pack("<HB", index("commander.enHighLevel"), 0))
    pilot.take_off()
    pilot.simulation.run(1.0)
    assert pilot.position[2] < 0.03
