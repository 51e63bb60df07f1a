"""Physical constants of the quadrotor.

Rotors are numbered as on the circuit board: 1 front right, 2 back right, 3 back left, 4 front
left. Rotors 1 and 3 turn counter-clockwise seen from above.

**Source**: J. Förster, "System Identification of the Crazyflie 2.0 Nano Quadrocopter", ETH Zürich,
2015, for inertia, rotor and drag constants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

GRAVITY_M_S2: Final = 9.81
ROTORS: Final = 4
ROTOR_SIDES: Final = ((1, -1), (-1, -1), (-1, 1), (1, 1))
"""Sign of x and of y of each rotor in the body frame (x forward, y left)."""
ROTOR_YAW_SIGNS: Final = (-1, 1, -1, 1)
"""Sign of the torque about z that the air's drag on each rotor leaves on the body."""


@dataclass(frozen=True, slots=True)
class Airframe:
    """Mass, geometry, rotors and battery of one Crazyflie.

    Attributes:
        mass_kg: Take-off mass.
        inertia_kg_m2: (3,) principal moments about x, y, z.
        rotor_offset_m: Distance of a rotor from the body's x and y axes.
        hull_radius_m: Radius of the collision cylinder, propellers included.
        hull_half_height_m: Half its height.
        max_thrust_n: Thrust of one rotor at full command and full battery.
        torque_per_thrust_m: Reaction torque of a rotor over its thrust.
        thrust_per_rotor_speed2: Thrust over squared rotor speed [N s^2/rad^2].
        drag: (3,) drag force over (air speed x sum of rotor speeds) [N s^2/(m rad)].
        motor_time_constant_s: First-order lag from command to thrust.
        brushless: A brushless airframe waits for an arming request, a brushed one arms itself.
    """

    mass_kg: float = 0.027
    inertia_kg_m2: tuple[float, float, float] = (16.57e-6, 16.66e-6, 29.26e-6)
    rotor_offset_m: float = 0.046 / math.sqrt(2)
    hull_radius_m: float = 0.065
    hull_half_height_m: float = 0.015
    max_thrust_n: float = 0.12
    torque_per_thrust_m: float = 0.00596
    thrust_per_rotor_speed2: float = 3.16e-10 * (30.0 / math.pi) ** 2
    drag: tuple[float, float, float] = (9.18e-7, 9.18e-7, 10.3e-7)
    motor_time_constant_s: float = 0.03
    brushless: bool = False

    @property
    def hover_thrust_n(self) -> float:
        """Thrust of one rotor that carries a quarter of the weight."""
        return self.mass_kg * GRAVITY_M_S2 / ROTORS
