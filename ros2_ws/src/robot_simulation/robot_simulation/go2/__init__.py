"""The Unitree Go2: a MuJoCo model, its on-board software, and DDS as the robot speaks it.

`model` and `dynamics` are the body; `motors`, `sport` and `services` are the robot's software;
`simulation` steps them together. None of those knows the network: `wire` lays bytes out, `idl`
names the types, and `server` alone talks DDS.
"""
