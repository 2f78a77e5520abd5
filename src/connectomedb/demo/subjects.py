"""Who is in the demo release: the labels, and what each one lacks.

The labels are those that a public tutorial's listing of the Q1 bucket shows. Nothing else about them
is real: every file and every value is made up from a seed.
"""

from collections.abc import Mapping

SHOWCASE = "100307"

SUBJECTS: tuple[str, ...] = (
    "100307",
    "103515",
    "103818",
    "111312",
    "114924",
    "117122",
    "118932",
    "119833",
    "120212",
    "125525",
    "128632",
    "130013",
    "131621",
    "137128",
    "138231",
    "142828",
    "143325",
    "144226",
    "149337",
    "150423",
    "153429",
    "156637",
    "159239",
    "161731",
    "162329",
    "167743",
    "172332",
    "182739",
    "191437",
    "192439",
    "192540",
    "194140",
    "197550",
    "199150",
    "199251",
    "200614",
    "201111",
    "210617",
    "217429",
    "249947",
    "250427",
    "255639",
    "304020",
    "307127",
    "329440",
    "355542",
    "499566",
    "530635",
    "559053",
    "585862",
    "611231",
    "638049",
    "665254",
    "672756",
    "685058",
    "729557",
    "732243",
    "792564",
    "826353",
    "856766",
    "859671",
    "861456",
    "865363",
    "877168",
    "889579",
    "894673",
    "896778",
    "896879",
    "901139",
    "917255",
    "937160",
)

REST = "rfMRI_REST1_LR"
MOTOR_LR = "tfMRI_MOTOR_LR"
MOTOR_RL = "tfMRI_MOTOR_RL"
T2 = "T2w_SPC1"

_LACKS: Mapping[str, frozenset[str]] = {
    "131621": frozenset({MOTOR_LR, MOTOR_RL}),
    "137128": frozenset({MOTOR_RL}),
    "162329": frozenset({REST}),
    "355542": frozenset({MOTOR_RL}),
    "585862": frozenset({REST}),
    "732243": frozenset({T2}),
    "889579": frozenset({REST}),
}


def has_scan(subject: str, scan: str) -> bool:
    """Whether the release holds this scan of the subject. A few lack one, as in any real study; all have diffusion."""
    return scan not in _LACKS.get(subject, frozenset())
