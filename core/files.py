"""How large a file may be that somebody sends (reliability SD-11)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class Bounded(FileUploadHandler):
    """Stops reading at the first byte too many, before the file is anywhere."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._left = settings.FILE_MAX_BYTES

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._left -= len(raw_data)
        if self._left < 0:
            assert self.request is not None, "files come with requests"
            for handler in self.request.upload_handlers:  # what they began is taken away
                handler.upload_interrupted()
            raise RequestDataTooBig("A file is larger than FILE_MAX_BYTES.")
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers that follow."""
