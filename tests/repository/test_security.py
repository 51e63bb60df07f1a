"""The keystore, and what the sources never do with content that others wrote."""

from __future__ import annotations

import ast
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "ros2_ws" / "src"
TOOL = REPOSITORY / "tools" / "security_keystore.py"
CALLS = {
    "eval", "exec", "compile", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load",
    "os.system", "os.popen", "marshal.loads", "shelve.open",
}  # fmt: skip
"""What would run, or may run, what a file says."""
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


def defects(source: str) -> list[str]:
    """Uses of what runs content, in a module."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            if ast.unparse(node.func) in CALLS:
                found.append(ast.unparse(node.func))
            for keyword in node.keywords:
                name, value = keyword.arg, ast.unparse(keyword.value)
                if (name, value) in {("allow_pickle", "True"), ("shell", "True")}:
                    found.append(f"{name}={value}")
    return found


def test_no_source_runs_what_a_file_says() -> None:
    files = [f for f in SOURCE.glob("*/*/**/*.py") if "test" not in f.parts]
    assert len(files) > 100
    assert {str(f.relative_to(SOURCE)): d for f in files if (d := defects(f.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "eval(x)", "yaml.load(x)", "torch.load(x)",
        "np.load(x, allow_pickle=True)", "subprocess.run(x, shell=True)",
    ],
)  # fmt: skip
def test_what_runs_content_is_found(source: str) -> None:
    assert len(defects(source)) == 1


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("security") / "keystore"
    command = [sys.executable, str(TOOL), str(folder), "--domain", "7"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder


def openssl(*arguments: str) -> str:
    command = ["openssl", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_enclave_has_what_the_middleware_reads(keystore: Path) -> None:
    enclaves = [path for path in (keystore / "enclaves").iterdir() if path.is_dir()]
    names = {path.name for path in enclaves}
    assert {"planner_server", "plan_execution", "navigator", "crazyflie_bridge"} <= names
    authority = str(keystore / "public" / "ca.cert.pem")
    for enclave in enclaves:
        assert {path.name for path in enclave.iterdir()} == {
            "cert.pem", "key.pem", "governance.p7s", "permissions.p7s", "permissions.xml",
            "identity_ca.cert.pem", "permissions_ca.cert.pem",
        }  # fmt: skip
        assert all(path.resolve().is_file() for path in enclave.iterdir())
        assert stat.S_IMODE((enclave / "key.pem").stat().st_mode) == 0o600
        openssl("verify", "-CAfile", authority, str(enclave / "cert.pem"))
        subject = openssl("x509", "-in", str(enclave / "cert.pem"), "-noout", "-subject")
        assert subject.strip().replace(" ", "") == f"subject=CN=/{enclave.name}"
        for document in ("governance", "permissions"):
            signed = openssl("smime", "-verify", "-text", "-in", str(enclave / f"{document}.p7s"),
                             "-CAfile", authority, "-purpose", "any")  # fmt: skip
            root = ET.fromstring(signed.strip().encode())
            assert [e.text for e in root.iter("id")] == ["7"]


def test_only_the_execution_may_command(keystore: Path) -> None:
    """A planner that is taken over cannot move the robot past the gates."""
    may = set()
    for file in (keystore / "enclaves").glob("*/permissions.xml"):
        root = ET.parse(file).getroot()
        assert root.findtext(".//default") == "DENY"
        if "rt/command" in {topic.text for topic in root.findall(".//publish/topics/topic")}:
            may.add(file.parent.name)
    assert may == {"plan_execution", "so100_leader"}


def test_keys_are_never_overwritten(keystore: Path) -> None:
    command = [sys.executable, str(TOOL), str(keystore)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "[E100]" in ended.stderr
