"""Errors of recordings and bags: codes 900 to 919; those of data sets are planner_core's."""

from __future__ import annotations

from planner_core.errors import DriftpilotError


class RecordingError(DriftpilotError):
    """A recording that cannot be done."""

    code = 900


class EpisodeStateError(RecordingError):
    """An episode that is begun while another runs, or ended while none does."""

    code = 901


class TopicAuditError(RecordingError):
    """A required topic that nobody publishes, or that is silent."""

    code = 902


class StorageError(RecordingError):
    """A folder that cannot be written to, or a disk that is full."""

    code = 903


class EpisodeNameError(RecordingError):
    """An episode name that cannot name a folder, or that is taken."""

    code = 904


class BagError(DriftpilotError):
    """A bag that cannot be used."""

    code = 910


class BagFormatError(BagError):
    """A file that is no bag, or a damaged one."""

    code = 911


class BagTypeError(BagError):
    """Messages of another version than is installed here."""

    code = 912


class BagContentError(BagError):
    """A bag that lacks what the data set needs."""

    code = 913
