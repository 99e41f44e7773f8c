"""A program of the tests of strategies: trains a tiny model and writes its weights.

    python replicas.py STRATEGY OUTPUT [SETTING=VALUE ...]

One process of it is one worker. The machine's CPU is two devices to it where STRATEGY is
`mirrored`. Several trainings in one process: join the settings with `--`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


def main(strategy: str, output: Path, trainings: list[dict[str, Any]]) -> None:
    if strategy == "mirrored":
        (cpu,) = tf.config.list_physical_devices("CPU")
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
    from textrnn.training.devices.strategy import Distribution

    distribution = Distribution.choose(strategy)
    from tiny import classifier, fit, labelled_ids, trainer

    from textrnn.training.batches.unlabelled_batches import UnlabelledBatches
    from textrnn.training.update.language_model_loss import LanguageModelLoss

    results: dict[str, Any] = {}
    for number, settings in enumerate(trainings):
        model_settings = settings.pop("model", {})
        if settings.pop("unlabelled", False):
            data = labelled_ids()
            other_workers = UnlabelledBatches(labelled_ids(20, seed=2).plan, seed=0)
            settings["train"] = dataclasses.replace(data, unlabelled=other_workers)
        with distribution.scope():
            model = classifier(**model_settings)
        more: dict[str, Any] = {"distribution": distribution}
        if weight := settings.pop("language_weight", 0.0):
            texts = labelled_ids().plan.texts
            with distribution.scope():
                more["language_model_loss"] = LanguageModelLoss(
                    model, weight=weight, texts=texts, seed=0
                )
        folder = output.parent / f"{output.stem}.{number}"
        ours = trainer(folder, model=model, **more, **settings)
        history = fit(ours)
        results[f"{number}.history"] = np.array([list(row.values()) for row in history])
        for place, variable in enumerate(ours.optimizer.variables):
            results[f"{number}.optimizer.{place}"] = variable.numpy()
        for place, weight in enumerate(model.get_weights()):
            results[f"{number}.weight.{place}"] = weight
        seeds = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
        locals_ = distribution.strategy.experimental_local_results(seeds[0].value)
        results[f"{number}.seeds"] = np.array([seed.numpy() for seed in locals_])
    distribution.barrier()
    np.savez(output, **results)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
