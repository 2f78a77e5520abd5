"""What images are bent from: meshes nest, warps can be undone, missing data are said."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.demo.brain.anatomy import Grid, Warp
from connectomedb.demo.brain.labels import REGIONS, nearest_region
from connectomedb.demo.brain.template import coarser, cortex


@pytest.mark.parametrize("hemisphere", ["L", "R"])
def test_each_coarser_mesh_is_a_closed_surface_on_the_first_vertices(hemisphere: str) -> None:
    triangles = cortex(hemisphere, 10_242).triangles
    for vertices in (2_562, 642, 162, 42):
        triangles = coarser(triangles)
        assert len(triangles) == 2 * vertices - 4
        edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        _, uses = np.unique(edges, axis=0, return_counts=True)
        assert set(np.unique(triangles)) == set(range(vertices))
        assert set(uses) == {2}


@given(seed=st.integers(0, 2**32), strength=st.floats(0, 1))
def test_a_warp_can_be_undone(seed: int, strength: float) -> None:
    warp = Warp.rolled(np.random.default_rng(seed), strength)
    points = np.random.default_rng(seed).uniform(-80, 80, (50, 3)).astype(np.float32)
    assert np.abs(warp.of_points(warp.inverse_of_points(points)) - points).max() < 0.05


def test_a_warp_bends_a_grid_as_it_bends_points() -> None:
    warp, grid = Warp.rolled(np.random.default_rng(1), 1.0), Grid(12.0)
    index = np.array([3, 7, 11])
    place = (grid.affine @ [*index, 1])[:3].astype(np.float32)
    bent = [axis[tuple(index)] for axis in warp.of_grid(grid)]
    assert np.allclose(bent, warp.of_points(place[None, :])[0], atol=1e-3)


@pytest.mark.parametrize(("voxel_mm", "shape"), [(2.0, (91, 109, 91)), (4.0, (46, 55, 46)), (7.2, (26, 31, 26))])
def test_grids_cover_the_box_of_the_standard_volumes(voxel_mm: float, shape: tuple[int, int, int]) -> None:
    assert Grid(voxel_mm).shape == shape


def test_every_region_is_nearest_to_its_own_centre_on_both_sides() -> None:
    centres = np.array([region.centre for region in REGIONS], np.float32)
    offsets = [region.offset for region in REGIONS]
    assert nearest_region(centres).tolist() == offsets
    assert nearest_region(centres * np.array([-1, 1, 1], np.float32)).tolist() == offsets


def test_a_missing_template_names_the_extra_to_install() -> None:
    script = (
        "import sys; sys.modules['nilearn'] = None\n"
        "from connectomedb.demo.brain.template import fine_template; from connectomedb.errors import ConfigError\n"
        "try: fine_template()\n"
        "except ConfigError as fault: print(fault)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert "pip install 'connectomedb[demo]'" in ran.stdout


def test_making_a_brain_does_not_import_nilearn() -> None:
    script = (
        "import sys; from connectomedb.demo.brain.template import fine_template; fine_template()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('nilearn', 'sklearn', 'pandas')])\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")
