"""``ros2 pkg``: packages, their prefixes, executables and manifests."""

import argparse
import xml.etree.ElementTree as ElementTree

from ros2cli.errors import CommandError
from ros2cli.packages import executables, package_names, package_prefix, package_share
from ros2cli.subcommands import Verbs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    verbs.add("list", _list, "List the installed packages")
    of_package = verbs.add("executables", _executables, "List the executables of packages")
    of_package.add_argument("package_name", nargs="?", help="Only those of this package")
    of_package.add_argument("--full-path", action="store_true", help="Print paths")
    prefix = verbs.add("prefix", _prefix, "Print the prefix of a package")
    prefix.add_argument("package_name")
    prefix.add_argument("--share", action="store_true", help="Print the share directory instead")
    xml = verbs.add("xml", _xml, "Print the manifest of a package")
    xml.add_argument("package_name")
    xml.add_argument("-t", "--tag", help="Print only the text of this tag")


def _list(args: argparse.Namespace) -> None:
    for name in package_names():
        print(name)


def _executables(args: argparse.Namespace) -> None:
    for package in [args.package_name] if args.package_name else package_names():
        for path in executables(package):
            print(path if args.full_path else f"{package} {path.name}")


def _prefix(args: argparse.Namespace) -> None:
    locate = package_share if args.share else package_prefix
    print(locate(args.package_name))


def _xml(args: argparse.Namespace) -> None:
    path = package_share(args.package_name) / "package.xml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"Cannot read the manifest {path}: {error.strerror}") from error
    if args.tag is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    matches = list(ElementTree.fromstring(text).iter(args.tag))
    if not matches:
        raise CommandError(f"No tag '{args.tag}' in {path}")
    for element in matches:
        print("".join(element.itertext()))
