"""Write an SROS2 keystore for the graph: who each node is, and what it may say and hear.

The layout and the files are those of ``ros2 security``, so a genuine ROS 2 takes the folder as
ROS_SECURITY_KEYSTORE. Each node has an enclave of its own, ``/<executable>``, and may use only the
topics, services and actions that its source names. The certificates are made by openssl.

Usage:
    python tools/security_keystore.py FOLDER [--days 365] [--domain 0]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from graph_names import Connection, connections
from planner_core.errors import ConfigurationError

SOURCE = Path(__file__).resolve().parents[1] / "ros2_ws" / "src"
EVERY_BRIDGE = ("crazyflie_bridge", "go2_bridge", "so100_bridge", "loopback_robot")
WITHOUT_OWN_NAMES = ("live_view", "flight_report", "episode_recorder")
"""They hear what they are told to: anything, and they command nothing."""
AUTHORITIES = ("identity_ca", "permissions_ca")
SCHEMA = "http://www.omg.org/spec/DDS-SECURITY/20170901"
GOVERNANCE = """<?xml version="1.0" encoding="UTF-8"?>
<dds xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{schema}/omg_shared_ca_governance.xsd">
  <domain_access_rules>
    <domain_rule>
      <domains><id>{domain}</id></domains>
      <allow_unauthenticated_participants>false</allow_unauthenticated_participants>
      <enable_join_access_control>true</enable_join_access_control>
      <discovery_protection_kind>ENCRYPT</discovery_protection_kind>
      <liveliness_protection_kind>ENCRYPT</liveliness_protection_kind>
      <rtps_protection_kind>SIGN</rtps_protection_kind>
      <topic_access_rules>
        <topic_rule>
          <topic_expression>*</topic_expression>
          <enable_discovery_protection>true</enable_discovery_protection>
          <enable_liveliness_protection>true</enable_liveliness_protection>
          <enable_read_access_control>true</enable_read_access_control>
          <enable_write_access_control>true</enable_write_access_control>
          <metadata_protection_kind>ENCRYPT</metadata_protection_kind>
          <data_protection_kind>ENCRYPT</data_protection_kind>
        </topic_rule>
      </topic_access_rules>
    </domain_rule>
  </domain_access_rules>
</dds>
"""  # noqa: E501
PERMISSIONS = """<?xml version="1.0" encoding="UTF-8"?>
<dds xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{schema}/omg_shared_ca_permissions.xsd">
  <permissions>
    <grant name="/{enclave}">
      <subject_name>CN=/{enclave}</subject_name>
      <validity><not_before>{begin}</not_before><not_after>{end}</not_after></validity>
      <allow_rule>
        <domains><id>{domain}</id></domains>
        <publish><topics>{publish}</topics></publish>
        <subscribe><topics>{subscribe}</topics></subscribe>
      </allow_rule>
      <default>DENY</default>
    </grant>
  </permissions>
</dds>
"""  # noqa: E501
PARAMETER_SERVICES = (
    "describe_parameters", "get_parameter_types", "get_parameters", "list_parameters",
    "set_parameters", "set_parameters_atomically", "get_type_description",
)  # fmt: skip
LIFECYCLE_SERVICES = (
    "change_state", "get_state", "get_available_states", "get_available_transitions",
    "get_transition_graph",
)  # fmt: skip


def grants(found: Iterable[Connection]) -> dict[str, tuple[set[str], set[str]]]:
    """Names of the middleware that each executable publishes, and those it subscribes to."""
    rules: dict[str, tuple[set[str], set[str]]] = {}
    for end in found:
        nodes = [name.strip() for name in end.node.split(",")]
        for node in EVERY_BRIDGE if nodes == ["every bridge"] else nodes:
            if "." in node:
                continue  # part of a node that is listed by itself, and loaded where it is needed
            out, heard = rules.setdefault(node, (set(), set()))
            _allow(end, out, heard)
    for node in WITHOUT_OWN_NAMES:
        rules.setdefault(node, (set(), set()))[1].add("rt/*")
    for node, (out, heard) in rules.items():
        out |= {"rt/rosout", "rt/parameter_events", "ros_discovery_info"}
        out |= {f"rr/{node}/{name}Reply" for name in (*PARAMETER_SERVICES, *LIFECYCLE_SERVICES)}
        out.add(f"rt/{node}/transition_event")
        heard |= {"rt/parameter_events", "rt/clock", "ros_discovery_info"}
        heard |= {f"rq/{node}/{name}Request" for name in (*PARAMETER_SERVICES, *LIFECYCLE_SERVICES)}
    return rules


def _allow(end: Connection, out: set[str], heard: set[str]) -> None:
    """Add the names of one end, as DDS has them; parts that vary become patterns."""
    name = "".join(
        "*" if index % 2 else part
        for index, part in enumerate(end.name.replace(">", "<").split("<"))
    ).lstrip("/")
    match end.kind:
        case "publisher":
            out.add(f"rt/{name}")
        case "subscription":
            heard.add(f"rt/{name}")
        case "service":
            out.add(f"rr/{name}Reply")
            heard.add(f"rq/{name}Request")
        case "client":
            out.add(f"rq/{name}Request")
            heard.add(f"rr/{name}Reply")
        case "action server":
            out |= {f"rr/{name}/_action/*Reply", f"rt/{name}/_action/*"}
            heard.add(f"rq/{name}/_action/*Request")
        case "action client":
            out.add(f"rq/{name}/_action/*Request")
            heard |= {f"rr/{name}/_action/*Reply", f"rt/{name}/_action/*"}


def write_keystore(folder: Path, days: int = 365, domain: int = 0) -> list[str]:
    """Write a keystore into a folder that does not exist.

    Args:
        folder: Where to; private keys are readable by their owner only.
        days: How long certificates and permissions hold.
        domain: ROS domain for which they hold.

    Returns:
        The enclaves.

    Raises:
        ConfigurationError: The folder exists, or openssl is missing or fails.
    """
    if folder.exists():
        raise ConfigurationError(
            "keystore", got=f"{folder} exists", expected="a folder that does not exist",
            remedy="Keys are never overwritten: move the old keystore away.",
        )  # fmt: skip
    for name in ("public", "private", "enclaves"):
        (folder / name).mkdir(parents=True, mode=0o700 if name == "private" else 0o755)
    key, certificate = folder / "private" / "ca.key.pem", folder / "public" / "ca.cert.pem"
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    key.chmod(0o600)
    _openssl("req", "-x509", "-new", "-key", str(key), "-sha256", "-days", str(days),
             "-subj", "/CN=sros2CA", "-out", str(certificate))  # fmt: skip
    for name in AUTHORITIES:
        (folder / "private" / f"{name}.key.pem").symlink_to("ca.key.pem")
        (folder / "public" / f"{name}.cert.pem").symlink_to("ca.cert.pem")
    enclaves = folder / "enclaves"
    governance = enclaves / "governance.xml"
    governance.write_text(GOVERNANCE.format(schema=SCHEMA, domain=domain))
    _sign(folder, governance)
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    times = {"begin": now.isoformat(), "end": (now + timedelta(days=days)).isoformat()}
    rules = grants(connections(SOURCE))
    for node, (out, heard) in sorted(rules.items()):
        enclave = enclaves / node
        enclave.mkdir(mode=0o700)
        for name in AUTHORITIES:
            (enclave / f"{name}.cert.pem").symlink_to(f"../../public/{name}.cert.pem")
        (enclave / "governance.p7s").symlink_to("../governance.p7s")
        _certify(folder, enclave, days)
        permissions = enclave / "permissions.xml"
        permissions.write_text(
            PERMISSIONS.format(
                schema=SCHEMA, enclave=node, domain=domain, publish=_topics(out),
                subscribe=_topics(heard), **times,
            )
        )  # fmt: skip
        _sign(folder, permissions)
    return sorted(rules)


def _topics(names: set[str]) -> str:
    return "".join(f"<topic>{escape(name)}</topic>" for name in sorted(names))


def _certify(folder: Path, enclave: Path, days: int) -> None:
    key, request = enclave / "key.pem", enclave / "request.pem"
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    key.chmod(0o600)
    _openssl("req", "-new", "-key", str(key), "-sha256", "-out", str(request),
             "-subj", f"/CN=\\/{enclave.name}")  # fmt: skip
    _openssl("x509", "-req", "-in", str(request), "-sha256", "-days", str(days),
             "-CA", str(folder / "public" / "ca.cert.pem"),
             "-CAkey", str(folder / "private" / "ca.key.pem"),
             "-set_serial", str(int.from_bytes(enclave.name.encode()[:19])),
             "-out", str(enclave / "cert.pem"))  # fmt: skip
    request.unlink()


def _sign(folder: Path, document: Path) -> None:
    _openssl("smime", "-sign", "-text", "-in", str(document), "-outform", "SMIME",
             "-out", str(document.with_suffix(".p7s")),
             "-signer", str(folder / "public" / "permissions_ca.cert.pem"),
             "-inkey", str(folder / "private" / "permissions_ca.key.pem"))  # fmt: skip


def _openssl(*arguments: str) -> None:
    try:
        ended = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ConfigurationError("openssl is missing", remedy="apt-get install openssl") from error
    if ended.returncode:
        raise ConfigurationError(f"openssl {arguments[0]} failed", got=ended.stderr.strip())


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the keystore; must not exist")
    parser.add_argument("--days", type=int, default=365, help="how long it holds (default: 365)")
    parser.add_argument("--domain", type=int, default=0, help="ROS domain (default: 0)")
    chosen = parser.parse_args(arguments)
    try:
        enclaves = write_keystore(chosen.folder, chosen.days, chosen.domain)
    except (ConfigurationError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(enclaves)} enclaves in {chosen.folder}: {', '.join(enclaves)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
