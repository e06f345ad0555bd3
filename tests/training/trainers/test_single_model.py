from __future__ import annotations

from torch import nn

from zoo import ImageInput, Problem, Recipe, SingleModelTrainer


def test_it_has_one_model_one_optimiser_and_no_state() -> None:
    trainer, model = SingleModelTrainer(), nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    modules = trainer.modules(model, Problem(task="image-classification", input=ImageInput(size=(1, 2))))
    assert modules == {"model": model}
    optimizers = trainer.optimizers(modules, Recipe(lr=0.5, backbone_lr=0.1), ("1.",))
    assert list(optimizers) == ["model"]
    learnt = {id(one): group["factor"] for group in optimizers["model"].param_groups for one in group["params"]}
    assert learnt == {id(one): 0.1 if name.startswith("0.") else 1.0 for name, one in model.named_parameters()}
    assert trainer.state_dict() == {}
    trainer.load_state_dict({})
