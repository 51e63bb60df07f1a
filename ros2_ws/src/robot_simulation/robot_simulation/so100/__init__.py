"""A simulated SO-100: arm, cubes and table in MuJoCo, behind a bus of six Feetech servos.

The physical side is `arm.Arm`, the electronic side is `bus.ServoBus` with its `servo.Servo`, and
`simulation.ArmSimulation` steps the two together without a clock. A pseudo-terminal and a clock are
added by ``serial_port`` and the real-time loop.
"""
