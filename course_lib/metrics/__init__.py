"""What is measured in more than one chapter.

Features and the distances between them, neighbours, variety, accuracy, calibration, probes.
"""

from course_lib.metrics.accuracy import accuracy_interval, confusion_matrix
from course_lib.metrics.calibration import Calibration, calibration
from course_lib.metrics.features import features_of, nearest_neighbours, variety
from course_lib.metrics.frechet import feature_statistics, frechet_distance
from course_lib.metrics.probes import InformationGap, LinearProbe, mutual_information_gap, probe_class, probe_number
