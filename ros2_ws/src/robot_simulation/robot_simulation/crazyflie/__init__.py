"""A simulated Crazyflie: airframe, firmware rules and radio protocol.

The physical side is :class:`~robot_simulation.crazyflie.dynamics.FlightDynamics`, the electronic
side is :class:`~robot_simulation.crazyflie.firmware.Firmware`, and
:class:`~robot_simulation.crazyflie.simulation.CrazyflieSimulation` steps the two together without
a clock. A socket and a clock are added by ``server`` and ``realtime``.
"""
