"""``ros2 bag``: record, describe and play bags."""

import argparse
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rosbags.rosbag2 import CompressionMode

from ros2cli.bag.contents import describe, open_bag
from ros2cli.errors import CommandError, Interrupted
from ros2cli.graph import absolute_name
from ros2cli.subcommands import Verbs, non_negative_float, positive_float

_POLL_S = 0.1
_CLOCK_HZ = 40.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    _add_record(verbs)
    _add_play(verbs)
    info = verbs.add("info", _info, "Print what a bag contains")
    info.add_argument("bag_path", type=Path)


def _add_record(verbs: Verbs) -> None:
    record = verbs.add("record", _record, "Record topics until SIGINT or SIGTERM")
    record.add_argument("topic_names", nargs="*", metavar="topic", help="Topics to record")
    record.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="The same")
    record.add_argument("-a", "--all", "--all-topics", action="store_true", help="All topics")
    record.add_argument("-e", "--regex", help="Topics that contain a match")
    record.add_argument("--exclude-regex", metavar="REGEX", help="But not those with this match")
    record.add_argument("--include-hidden-topics", action="store_true")
    record.add_argument("-o", "--output", type=Path, help="Folder of the new bag")
    record.add_argument("-s", "--storage", choices=["mcap"], default="mcap")
    record.add_argument("--compression-mode", choices=["none", "file", "message"], default="none")
    record.add_argument("--compression-format", choices=["zstd"], default="zstd")
    record.add_argument(
        "--storage-preset-profile",
        choices=["none", "zstd_fast"],
        default="none",
        help="Compress the chunks of the MCAP file",
    )


def _add_play(verbs: Verbs) -> None:
    play = verbs.add("play", _play, "Publish the messages of a bag")
    play.add_argument("bag_path", type=Path)
    play.add_argument("-r", "--rate", type=positive_float, default=1.0, help="Speed (default: 1)")
    play.add_argument("-l", "--loop", action="store_true", help="Begin again at the end")
    play.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="Only these")
    play.add_argument(
        "-d", "--delay", type=non_negative_float, default=0.0, help="Wait so long first [s]"
    )
    play.add_argument(
        "--clock",
        nargs="?",
        type=positive_float,
        const=_CLOCK_HZ,
        metavar="HZ",
        help=f"Publish the time of the bag on /clock (default rate: {_CLOCK_HZ:g})",
    )


def _info(args: argparse.Namespace) -> None:
    with open_bag(args.bag_path) as reader:
        for line in describe(args.bag_path, reader):
            print(line)


def _record(args: argparse.Namespace) -> None:
    from ros2cli.bag.recorder import Recorder
    from ros2cli.session import Session

    wanted = _selection(args)
    path = args.output or Path(f"rosbag2_{datetime.now():%Y_%m_%d-%H_%M_%S}")
    with Session("rosbag2_recorder") as session:
        recorder = Recorder(
            session,
            path,
            wanted,
            compression=_compression(args),
            include_hidden=args.include_hidden_topics,
        )
        print(f"Recording to '{path}'", file=sys.stderr, flush=True)
        try:
            while True:
                recorder.poll()
                session.sleep(_POLL_S)
        except Interrupted:
            print("Recording stopped", file=sys.stderr, flush=True)
        finally:
            recorder.close()
    print(f"Recorded {recorder.message_count} messages", file=sys.stderr)


def _selection(args: argparse.Namespace) -> Callable[[str], bool]:
    names = {absolute_name(name) for name in [*args.topic_names, *args.topics]}
    if not names and not args.all and args.regex is None:
        raise CommandError("Invalid choice: name topics, or give --all or --regex")
    include = _pattern("--regex", args.regex)
    exclude = _pattern("--exclude-regex", args.exclude_regex)

    def wanted(name: str) -> bool:
        if exclude is not None and exclude.search(name):
            return False
        return args.all or name in names or (include is not None and bool(include.search(name)))

    return wanted


def _pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise CommandError(f"Invalid {option} '{text}': {error}") from error


def _compression(args: argparse.Namespace) -> CompressionMode:
    if args.storage_preset_profile == "zstd_fast":
        if args.compression_mode != "none":
            raise CommandError("Choose --compression-mode or --storage-preset-profile, not both")
        return CompressionMode.STORAGE
    return CompressionMode[args.compression_mode.upper()]


def _play(args: argparse.Namespace) -> None:
    from ros2cli.bag.player import Player
    from ros2cli.session import Session

    with open_bag(args.bag_path) as reader, Session("rosbag2_player") as session:
        player = Player(
            session,
            reader,
            [absolute_name(name) for name in args.topics],
            rate=args.rate,
            clock_hz=args.clock,
        )
        try:
            player.wait_for_subscriptions()
            session.sleep(args.delay)
            count = player.play()
            while args.loop and count:
                player.play()
            player.finish()
        except Interrupted:
            print("Playback stopped", file=sys.stderr)
