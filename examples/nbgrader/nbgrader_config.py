"""Settings of the example course, for nbgrader, which gives ``get_config``."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "backpropagation"
# No notebook takes long; a check ends an endless loop itself, after five seconds.
c.ExecutePreprocessor.timeout = 60
