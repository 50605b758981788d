"""What runs are found by: identities without defaults, kinds, keys that never move by accident.

If a pinned value changes on purpose, raise the ``version`` of the workloads that it touches.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from stablib import files
from stablib.mitigation import (
    ASWA,
    EMA,
    L2,
    NASWA,
    SWA,
    TGTSS,
    Averaged,
    Ensemble,
    LabelSmoothing,
    Snapshot,
    StepSWA,
    TestTime,
    WeightNoise,
)
from stablib.runs import Group
from stablib.runs.group import plans_key
from stablib.training import (
    Bit,
    Control,
    Final,
    Method,
    Probabilities,
    Recipe,
    Record,
    SeedPlan,
    Steps,
    TrainMean,
)
from stablib.training.tagged import Tagged, identity
from stablib.workloads import (
    Attended,
    AttentionRecipe,
    Checkpoints,
    Curve,
    Explanations,
    FactorRecipe,
    FineTuneRecipe,
    HeadRecipe,
    HitCurve,
    ImageRecipe,
    ItemRecipe,
    JointWords,
    LanguageRecipe,
    Logits,
    NextWords,
    Ranked,
    Similarity,
    StreamRecipe,
    TopLayerRecipe,
    Trace,
    Vectors,
)
from stablib.workloads.language import LikelyWords
from stablib.workloads.streams import DataModel, PairRecord

#: Every kind that the package has, with all options given and none a default.
METHODS: list[Method] = [
    Control(),
    ASWA(denominator="accepted", restart="exchange"),
    EMA(memory=0.5),
    Ensemble(temperature=2.0, reading="sharpen", teacher="own", teacher_seed=7, members=3),
    L2(weight_decay=0.5),
    LabelSmoothing(alpha=0.25),
    NASWA(
        denominator="accepted",
        restart="exchange",
        norm="max",
        tensors=("a", "b"),
        history="reset",
    ),
    Snapshot(cycles=2, warm_up=0.1),
    StepSWA(),
    SWA(last_epochs=3),
    TestTime(flip=False, crops=25),
    TGTSS(temperature=2.0, reading="sharpen", teacher="own", teacher_seed=7, after_step=9, every=4),
    WeightNoise(scale=0.5, seed=3),
]
TEXT = {"dataset": "massive", "label": "domain", "limit": 9, "encoder": "e", "learning_rate": 0.5,
        "epochs": 2, "batch_size": 8}  # fmt: skip
RECIPES: list[Recipe] = [
    FineTuneRecipe(**TEXT),
    TopLayerRecipe(**TEXT),
    HeadRecipe(**TEXT, hidden=4, dropout=0.5),
    AttentionRecipe(
        dataset="sst",
        label="other",
        limit=9,
        learning_rate=0.5,
        epochs=2,
        batch_size=8,
        encoder="bilstm",
        attention="dot",
        vectors="drawn",
        frozen=True,
        min_texts=3,
        batches="random",
        weight_decay=0.5,
    ),
    ImageRecipe(
        dataset="cifar10",
        label="other",
        limit=9,
        learning_rate=0.5,
        epochs=3,
        batch_size=8,
        n_test=7,
        model="resnet6",
        width=9,
        side=16,
        stride=2,
        crop=2,
        flip=False,
        optimizer="adam",
        momentum=0.5,
        weight_decay=0.5,
        warm_up=2,
        slow=0.5,
        threads=2,
        device="cuda",
        attempt=3,
    ),
    ItemRecipe(
        dataset="movielens-1m",
        label="rating",
        limit=9,
        class_weights=True,
        n_negatives=2,
        held_out=True,
        output="sigmoid",
        embedding=4,
        attention=3,
        layers=(6, 4),
        beta=0.5,
        alpha=0.25,
        longest=50,
        learning_rate=0.5,
        epochs=2,
        batch_size=8,
        penalty=0.5,
        tower_penalty=0.5,
        start="own",
        start_epochs=3,
    ),
    FactorRecipe(
        dataset="movielens-1m",
        label="rating",
        limit=9,
        class_weights=True,
        n_negatives=2,
        held_out=True,
        output="sigmoid",
        factors=4,
        layers=(6, 4),
        learning_rate=0.5,
        epochs=2,
        batch_size=8,
    ),
    LanguageRecipe(
        dataset="ptb",
        label="other",
        limit=9,
        learning_rate=0.5,
        epochs=2,
        batch_size=8,
        n_test=7,
        vocabulary=5,
        embedding=4,
        hidden=6,
        layers=2,
        drop_input=0.5,
        drop_hidden=0.5,
        drop_output=0.5,
        drop_words=0.5,
        window=5,
        optimizer="adam",
        clip=1.0,
        weight_decay=0.5,
    ),
    StreamRecipe(
        data=DataModel(kind="quadratic", seed=3),
        hidden=(4, 2),
        embedding=True,
        activation="smelu",
        beta=0.5,
        optimizer="sgd",
        learning_rate=0.5,
        log2_window=2,
        log2_examples=9,
        warm_start=0.25,
    ),
]
RECORDS: list[Record] = [
    Attended(share=0.2, n_permutations=5, n_users=7, n_shown=3, seed=1),
    Averaged(record=Steps(split="val"), methods=(StepSWA(), EMA(memory=0.5))),
    Checkpoints(n_texts=5),
    Curve(),
    Explanations(n_texts=5, n_lime=3, n_samples=9, explainer_seed=2, gradient="norm"),
    Final(),
    HitCurve(every=2),
    JointWords(n_words=5),
    LikelyWords(after_step=3, every=2, n_likely=9),
    Logits(views=(TestTime(crops=81),), n_logits=9),
    NextWords(n_words=5),
    PairRecord(weights="all"),
    Probabilities(split="val"),
    Ranked(k=3, n_users=5),
    Similarity(n_examples=5, average_pool=False),
    Steps(split="val", every=3, confidence=True),
    Trace(per_decade=3, n_weights=9, n_examples=5),
    TrainMean(after_step=3, every=2),
    Vectors(),
]

#: What every field says where nothing is said; ``...`` has to be said.
CONTROL = {"kind": "control"}
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "Recipe": {
        "attention_text": {
            "method": CONTROL,
            "dataset": "own",
            "label": "label",
            "limit": None,
            "learning_rate": 0.001,
            "epochs": 20,
            "batch_size": 32,
            "encoder": "cnn",
            "attention": "additive",
            "vectors": "glove-6b-50d",
            "frozen": False,
            "min_texts": 1,
            "batches": "by_length",
            "weight_decay": 1e-5,
        },
        "finetune": {
            "method": CONTROL,
            "dataset": "own",
            "label": "",
            "limit": None,
            "encoder": "all-MiniLM-L6-v2",
            "learning_rate": 0.001,
            "epochs": 5,
            "batch_size": 256,
        },
        "head": {
            "method": CONTROL,
            "dataset": "own",
            "label": "",
            "limit": None,
            "encoder": "all-MiniLM-L6-v2",
            "learning_rate": 0.001,
            "epochs": 5,
            "batch_size": 256,
            "hidden": 256,
            "dropout": 0.1,
        },
        "image": {
            "method": CONTROL,
            "dataset": "own",
            "label": "label",
            "limit": None,
            "learning_rate": 0.4,
            "epochs": 500,
            "batch_size": 512,
            "n_test": None,
            "model": "resnet14",
            "width": 512,
            "side": None,
            "stride": 1,
            "crop": 4,
            "flip": True,
            "optimizer": "sgd",
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "warm_up": 3,
            "slow": 0.1,
            "threads": 1,
            "device": "cpu",
            "attempt": 1,
        },
        "factors": {
            "method": CONTROL,
            "dataset": "own",
            "label": "choice",
            "limit": None,
            "learning_rate": 1e-3,
            "epochs": 20,
            "batch_size": 256,
            "output": "softmax",
            "class_weights": False,
            "n_negatives": 4,
            "held_out": False,
            "factors": 8,
            "layers": [64, 32, 16, 8],
        },
        "items": {
            "method": CONTROL,
            "dataset": "own",
            "label": "choice",
            "limit": None,
            "learning_rate": 0.01,
            "epochs": 20,
            "batch_size": 1,
            "output": "softmax",
            "class_weights": False,
            "n_negatives": 4,
            "held_out": False,
            "embedding": 16,
            "attention": 16,
            "layers": [64, 32, 16],
            "beta": 0.8,
            "alpha": 0.5,
            "longest": 299,
            "penalty": 1e-6,
            "tower_penalty": 10.0,
            "start": "random",
            "start_epochs": 10,
        },
        "language": {
            "method": CONTROL,
            "dataset": "own",
            "label": "kind",
            "limit": None,
            "learning_rate": 30.0,
            "epochs": 500,
            "batch_size": 20,
            "n_test": None,
            "vocabulary": None,
            "embedding": 256,
            "hidden": 512,
            "layers": 3,
            "drop_input": 0.4,
            "drop_hidden": 0.3,
            "drop_output": 0.4,
            "drop_words": 0.1,
            "window": 70,
            "optimizer": "sgd",
            "clip": 0.25,
            "weight_decay": 1.2e-6,
        },
        "stream": {
            "method": CONTROL,
            "data": ...,
            "hidden": [],
            "embedding": False,
            "activation": "relu",
            "beta": 1.0,
            "optimizer": "adagrad",
            "learning_rate": 0.1,
            "log2_window": 0,
            "same_init": True,
            "log2_examples": ...,
            "warm_start": None,
        },
        "top_layer": {
            "method": CONTROL,
            "dataset": "own",
            "label": "",
            "limit": None,
            "encoder": "all-MiniLM-L6-v2",
            "learning_rate": 0.001,
            "epochs": 5,
            "batch_size": 256,
        },
    },
    "Method": {
        "aswa": {"denominator": "iterations", "restart": "copy"},
        "control": {},
        "ema": {"memory": 0.999},
        "ensemble": {
            "temperature": 0.5,
            "reading": "printed",
            "teacher": "shared",
            "teacher_seed": 1000,
            "members": 200,
        },
        "l2": {"weight_decay": 0.001},
        "label_smoothing": {"alpha": ...},
        "naswa": {
            "denominator": "iterations",
            "restart": "copy",
            "norm": "all",
            "tensors": [],
            "history": "kept",
        },
        "snapshot": {"cycles": 5, "warm_up": 0.03},
        "step_swa": {},
        "swa": {"last_epochs": 2},
        "test_time": {"flip": True, "crops": 1},
        "tgtss": {
            "temperature": 0.5,
            "reading": "printed",
            "teacher": "shared",
            "teacher_seed": 1000,
            "after_step": ...,
            "every": 1,
        },
        "weight_noise": {"scale": 0.01, "seed": 0},
    },
    "Record": {
        "attended": {
            "share": 0.1,
            "n_permutations": 100,
            "n_users": 2_000,
            "n_shown": 20,
            "seed": 0,
        },
        "averaged": {"record": ..., "methods": ...},
        "checkpoints": {"n_texts": 0},
        "curve": {},
        "explanations": {
            "n_texts": 200,
            "n_lime": 40,
            "n_samples": 1000,
            "explainer_seed": 0,
            "gradient": "dot",
        },
        "final": {},
        "hit_curve": {"every": 1},
        "logits": {"views": [], "n_logits": None},
        "joint_words": {"n_words": 10_000},
        "likely_words": {"after_step": None, "every": 1, "n_likely": 200},
        "next_words": {"n_words": 10_000},
        "pair": {"weights": "few"},
        "probabilities": {"split": ...},
        "ranked": {"k": 10, "n_users": 300},
        "similarity": {"n_examples": 100, "average_pool": True},
        "steps": {"split": ..., "every": 1, "confidence": False},
        "trace": {"per_decade": 12, "n_weights": 256, "n_examples": 500},
        "train_mean": {"after_step": None, "every": 1},
        "vectors": {},
    },
    "others": {
        "DataModel": {"kind": ..., "seed": 0},
        "SeedPlan": {"base": 0, "seeds": [], "onset": [], "bit": None},
        "Bit": {"tensor": ..., "index": 0, "direction": "up"},
    },
}


def of_the_package(family: type[Tagged]) -> dict[str, type[Tagged]]:
    """Members that no test has defined."""
    return {k: c for k, c in family.kinds.items() if c.__module__.startswith("stablib.")}


def defaults(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: ... if field.is_required() else identity(field.get_default(call_default_factory=True))
        for name, field in model.model_fields.items()
    }


def test_no_default_has_changed() -> None:
    """A changed default would not change a key, and old runs would pass for new ones."""
    found: dict[str, dict[str, dict[str, Any]]] = {
        family.__name__: {
            kind: {k: v for k, v in defaults(member).items() if k != "kind"}
            for kind, member in of_the_package(family).items()
        }
        for family in (Recipe, Method, Record)
    }
    found["others"] = {model.__name__: defaults(model) for model in (DataModel, SeedPlan, Bit)}
    assert found == DEFAULTS
    types = json.dumps(found, default=str, sort_keys=True)
    assert types == json.dumps(DEFAULTS, default=str, sort_keys=True)  # 1 is not 1.0.


@pytest.mark.parametrize("family", [Recipe, Method, Record])
def test_a_kind_is_the_members_own(family: type[Tagged]) -> None:
    for kind, member in of_the_package(family).items():
        assert member.model_fields["kind"].default == kind
        assert issubclass(member, family)


#: Content of the data set, and the encoder's weights, with which runs are published.
MASSIVE = "0de433c9414b6418f1470a3e1302ea8cdb24d5f064f5b55868e93052d72f980e"
MINILM = "99f704468154fc61a4b879c37b806316fc7f644d4b641a39c4fabdd1693f0357"


@pytest.mark.parametrize(
    ("recipe", "data", "record", "written", "key"),
    [
        (
            HeadRecipe(dataset="massive", label="domain"),
            MASSIVE,
            Final(),
            {
                "workload": "head",
                "version": 1,
                "data": MASSIVE,
                "depends": {"encoder": MINILM},
                "recipe": {"kind": "head", "dataset": "massive", "label": "domain"},
                "record": {"kind": "final"},
            },
            "508d776f818ff112",
        ),
        (
            FineTuneRecipe(dataset="massive", label="domain", learning_rate=1e-4),
            MASSIVE,
            Final(),
            {
                "workload": "finetune",
                "version": 1,
                "data": MASSIVE,
                "depends": {"encoder": MINILM},
                "recipe": {
                    "kind": "finetune",
                    "dataset": "massive",
                    "label": "domain",
                    "learning_rate": 0.0001,
                },
                "record": {"kind": "final"},
            },
            "06b5c542b5e50827",
        ),
        (
            StreamRecipe(data=DataModel(kind="linear"), hidden=(2,), log2_examples=21),
            "linear-0",
            PairRecord(),
            {
                "workload": "stream",
                "version": 1,
                "data": "linear-0",
                "depends": {},
                "recipe": {
                    "kind": "stream",
                    "data": {"kind": "linear"},
                    "hidden": [2],
                    "log2_examples": 21,
                },
                "record": {"kind": "pair"},
            },
            "481592dd0bcc2e56",
        ),
    ],
    ids=["head", "finetune", "stream"],
)
def test_a_key_is_the_hash_of_what_is_not_a_default(recipe, data, record, written, key) -> None:
    """These three name published files."""
    group = Group(recipe, data, record)
    assert group.identity == written
    text = json.dumps(written, sort_keys=True, separators=(",", ":"))
    assert group.key == hashlib.sha256(text.encode()).hexdigest()[:16] == key


def test_every_published_file_has_the_name_of_what_is_in_it() -> None:
    paths = sorted((Path(__file__).parent.parent / "results" / "runs").glob("*.npz"))
    assert len(paths) > 100
    for path in paths:
        header = files.read_header(path)
        group = header["group"]
        recipe, record = (
            Recipe.model_validate(group["recipe"]),
            Record.model_validate(group["record"]),
        )
        assert Group(recipe, group["data"], record).key == path.stem, header["title"]
        assert [identity(SeedPlan(**fields)) for fields in header["plans"]] == header["plans"]


def test_keys_of_seeds_are_pinned_too() -> None:
    assert identity(SeedPlan()) == {}
    assert identity(SeedPlan(base=3, shuffle=4, onset={"shuffle": 2})) == {
        "base": 3,
        "seeds": [["shuffle", 4]],
        "onset": [["shuffle", 2]],
    }
    assert plans_key([SeedPlan()]) == hashlib.sha256(b"[{}]").hexdigest()[:16]
    assert (
        plans_key([SeedPlan.same(1), SeedPlan()])
        == hashlib.sha256(b'[{"base":1},{}]').hexdigest()[:16]
    )


def test_a_new_field_with_a_default_changes_no_key() -> None:
    class Shape(Tagged):
        kinds = {}

    class Square(Shape):
        kind: str = "square"
        side: float = 1.0

    before = [Square(), Square(side=2.0)]

    with pytest.raises(TypeError, match="kind 'square' is taken by .*Square"):
        type("Circle", (Shape,), {"__annotations__": {"kind": str}, "kind": "square"})
    Shape.kinds.clear()  # As after a release, in which the class has one field more.

    class Later(Shape):
        kind: str = "square"
        side: float = 1.0
        colour: str | None = None
        inner: Method = Control()

    after = [Later(), Later(side=2.0)]
    assert [identity(one) for one in before] == [identity(one) for one in after]
    assert identity(Later(colour="red", inner=L2())) == {
        "kind": "square",
        "colour": "red",
        "inner": {"kind": "l2"},
    }
    assert Shape.model_validate(identity(before[1])) == after[1]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.kind)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.kind)
def test_a_recipe_comes_back_from_what_it_writes(recipe: Recipe, method: Method) -> None:
    recipe = recipe.with_method(method)
    back = [
        Recipe.model_validate(recipe.model_dump()),
        Recipe.model_validate_json(recipe.model_dump_json()),
        Recipe.model_validate(json.loads(json.dumps(identity(recipe)))),
        type(recipe).model_validate(recipe.model_dump(mode="json")),
    ]
    assert back == [recipe] * 4
    assert {type(one.method) for one in back} == {type(method)}
    assert {hash(one) for one in back} == {hash(recipe)}
    assert {Group(one, "abc", Final()).key for one in back} == {Group(recipe, "abc", Final()).key}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.kind)
def test_a_record_comes_back_from_what_it_writes(record: Record) -> None:
    for written in (record.model_dump(), json.loads(json.dumps(identity(record)))):
        assert Record.model_validate(written) == record


def test_every_kind_is_tried_with_every_option() -> None:
    for family, members in ((Recipe, RECIPES), (Method, METHODS), (Record, RECORDS)):
        assert sorted(member.kind for member in members) == sorted(of_the_package(family))
        for member in members:
            plain = defaults(type(member))
            same = {k for k, v in plain.items() if identity(getattr(member, k)) == v}
            assert same <= {"kind", "method", "same_init"}, member  # A warm start needs same_init.


def test_every_option_is_part_of_the_key() -> None:
    """Each non-default value alone makes another key, and all of them are different."""
    for recipe in RECIPES:
        plain = type(recipe)(**{k: getattr(recipe, k) for k, v in defaults(type(recipe)).items()
                                if v is ...})  # fmt: skip
        changed = (
            [plain]
            + [
                plain.model_copy(update={name: getattr(recipe, name)})
                for name in type(recipe).model_fields
                if getattr(recipe, name) != getattr(plain, name)
            ]
            + [plain.with_method(method) for method in METHODS[1:]]
        )
        keys = {Group(one, "abc", record).key for one in changed for record in RECORDS}
        assert len(keys) == len(changed) * len(RECORDS)
    one = Group(RECIPES[1], "abc", Final())
    assert one.key != Group(RECIPES[1], "abd", Final()).key


@pytest.mark.parametrize(
    ("family", "fields", "said"),
    [
        (Recipe, {"kind": "haed"}, "unknown recipe kind 'haed'; did you mean 'head'?"),
        (Recipe, {"kind": "fine_tune"}, "did you mean 'finetune'?"),
        (Recipe, {"kind": "head", "method": {"kind": "swaa"}}, "unknown method kind 'swaa'; did "
                                                              "you mean 'swa'?"),
        (Method, {"kind": "label-smoothing"}, "did you mean 'label_smoothing'?"),
        (Record, {"kind": "step", "split": "val"}, "unknown record kind 'step'; did you mean "
                                                   "'steps'?"),
        (HeadRecipe, {"kind": "stream"}, "'head'"),
        (Recipe, {"kind": "head", "hiden": 8}, "hiden"),
        (Recipe, {"kind": "head", "learning_rate": float("inf")}, "finite"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_with_the_nearest_name(family, fields, said) -> None:
    with pytest.raises(ValidationError) as refused:
        family.model_validate(fields)
    assert said in str(refused.value)


def test_recipes_and_requests_need_neither_torch_nor_numba() -> None:
    code = (
        "import sys, stablib.workloads, stablib.runs\n"
        "from stablib.training import Final, Request, seed_plans\n"
        "from stablib.workloads import HeadRecipe, StreamRecipe\n"
        "Request(HeadRecipe(), seed_plans(2), (Final(),))\n"
        "StreamRecipe(data={'kind': 'linear'}, log2_examples=10).title()\n"
        "print(sorted({'torch', 'numba', 'transformers', 'tokenizers'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_recipes_of_all_methods_can_be_read_wherever_recipes_can() -> None:
    code = (
        "from stablib.training import Recipe\n"
        "import stablib.workloads\n"
        "Recipe.model_validate({'kind': 'head', 'method': {'kind': 'swa'}})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert done.returncode == 0
