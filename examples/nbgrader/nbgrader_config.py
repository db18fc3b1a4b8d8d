"""Settings of the example course, for nbgrader, which gives ``get_config``."""

import sys
from pathlib import Path

from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "backpropagation"
# No notebook takes long; a check ends an endless loop itself, after five seconds.
c.ExecutePreprocessor.timeout = 60

# What students wrote runs in a process of its own, where it cannot replace the checks.
sys.path.append(str(Path(__file__).parent))
import apart  # noqa: E402

usual = Autograde.autograde_preprocessors.default()
c.Autograde.autograde_preprocessors = [apart.execute(one) if one is Execute else one for one in usual]
