"""The pictures of chapters 6 and 7."""

from course_lib.gan.figures.drawing import (
    by_steps,
    collapse,
    emerging,
    filmstrip,
    gone_wrong,
    losses,
    packed,
    rows,
    unpacked,
    walk,
)
from course_lib.gan.figures.drawing_judged import histogram, named_bars, trade, typefaces
from course_lib.gan.figures.drawing_schematics import networks, where_the_gradient_stops
from course_lib.gan.figures.drawing_schematics import overlaps as stamps
from course_lib.gan.figures.game import (
    best_discriminators,
    blind,
    flat_and_steep,
    hair_apart,
    iterations,
    line_game,
    pushes,
)
from course_lib.gan.figures.game_players import explore_players, momentum_paths, orbits, players_at, spirals
from course_lib.gan.figures.game_ring import (
    clouds,
    finding,
    losses_and_points,
    mistakes_shown,
    momenta,
    places,
    setting_table,
    settings_matter,
    ways_compared,
)
from course_lib.gan.figures.game_schematics import carried, the_game
