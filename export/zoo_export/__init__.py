"""From a trained model to a file for the edge that is proved to give the same answers.

`zoo.export` and `zoo.verify` are the way in.  Rooms, ground first; each imports only those before it: subject, capture,
reference, measure, runtime, controls, proof, bundle, verify.
"""
