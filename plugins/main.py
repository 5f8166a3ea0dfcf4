"""What Orthanc loads: puts the private environment and this folder on the path, then hands over to readingroom.host."""

import os
import site
import sys
from pathlib import Path

import orthanc  # type: ignore[import-not-found]  # exists only inside Orthanc

site.addsitedir(os.environ["READINGROOM_SITE_PACKAGES"])
sys.path.insert(0, str(Path(__file__).resolve().parent))

from readingroom.host.boot import boot  # the path had to be laid first

boot(orthanc)
