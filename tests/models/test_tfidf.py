"""Our TF-IDF encoder in figures: against scikit-learn, in a decoder's hands, and reloaded."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from ludwig.api import LudwigModel
from ludwig.utils.strings_utils import Vocabulary, create_vocabulary
from ludwig.utils.tokenizers import get_tokenizer_from_registry
from sklearn.feature_extraction.text import TfidfVectorizer

from leaflet_tool.manifest import Label
from leaflet_tool.models import definitions, engine, runs, training
from leaflet_tool.models.extensions.tfidf import SPECIAL_SYMBOLS, SublinearTfIdf

TEXTS = [
    "vote green green green for the forest",
    "vote blue for the border, the border!",
    "vote red: hospitals for all",
    "vote for the many not the few",
    "vote",
]
tokens = get_tokenizer_from_registry("space_punct")()


def vocabulary(texts: list[str]) -> Vocabulary:
    return create_vocabulary(pd.Series(texts), "space_punct", lowercase=True, num_most_frequent=99, compute_idf=True)


def encoder(found: Vocabulary, length: int = 20) -> SublinearTfIdf:
    return SublinearTfIdf(length, found.str2idf, found.vocab)


def numbers(text: str, found: Vocabulary, length: int = 20) -> list[int]:
    """Token ids as Ludwig feeds them: start, words, stop, padding."""
    words = [found.str2idx.get(word, found.str2idx["<UNK>"]) for word in tokens(text.lower())]
    ids = [found.str2idx["<SOS>"], *words, found.str2idx["<EOS>"]]
    return ids + [found.str2idx["<PAD>"]] * (length - len(ids))


def encoded(texts: list[str], found: Vocabulary) -> np.ndarray:
    ids = torch.tensor([numbers(text, found) for text in texts])
    return encoder(found)(ids)["encoder_output"].numpy()


def test_rows_are_those_of_scikit_learn_where_one_word_is_in_every_text() -> None:
    found = vocabulary(TEXTS)
    words = found.vocab[SPECIAL_SYMBOLS:]
    reference = TfidfVectorizer(sublinear_tf=True, tokenizer=tokens, token_pattern=None, vocabulary=words)
    expected = reference.fit_transform(TEXTS).toarray()
    assert np.allclose(encoded(TEXTS, found)[:, SPECIAL_SYMBOLS:], expected, atol=1e-6)


def test_elsewhere_the_number_of_texts_is_taken_from_the_commonest_word() -> None:
    texts = TEXTS[:4] + ["an unrelated page"] * 4
    found = vocabulary(texts)
    frequency = {word: sum(word in tokens(text) for text in texts) for word in found.vocab[SPECIAL_SYMBOLS:]}
    most = max(frequency.values())
    expected = [math.log((1 + most) / (1 + each)) + 1 for each in frequency.values()]
    assert most == 4
    assert np.allclose(encoder(found).idf[SPECIAL_SYMBOLS:].numpy(), expected, atol=1e-6)


def test_rows_have_length_one_and_an_empty_text_is_zero() -> None:
    found = vocabulary(TEXTS)
    rows = encoded([*TEXTS, "", "unseen"], found)
    assert np.allclose(np.linalg.norm(rows[: len(TEXTS)], axis=1), 1, atol=1e-6)
    assert not rows[len(TEXTS)].any()
    assert not rows[len(TEXTS) + 1].any()


def test_padding_changes_nothing() -> None:
    found = vocabulary(TEXTS)
    short, long = (
        encoder(found)(torch.tensor([numbers(TEXTS[0], found, length)]))["encoder_output"] for length in (12, 200)
    )
    assert torch.equal(short, long)


def test_a_decoder_learns_from_the_rows() -> None:
    found = vocabulary(TEXTS)
    rows = torch.tensor(encoded(TEXTS[:3], found))
    decoder = torch.nn.Linear(rows.shape[1], 3)
    optimizer = torch.optim.SGD(decoder.parameters(), lr=4.0)
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.cross_entropy(decoder(rows), torch.arange(3))
        optimizer.zero_grad()
        loss.backward()
        assert decoder.weight.grad is not None and decoder.weight.grad.abs().sum() > 0
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 5


@pytest.mark.parametrize("name", ["text_tfidf", "text_pairs"])
def test_a_reloaded_model_predicts_the_same(tmp_path: Path, tiny_runs: Path, name: str) -> None:
    rows = tiny_runs / "text" / runs.ROWS
    config = training.filled(definitions.find(name), Label("party"), training.Request("any", epochs=1))
    with engine.quiet():
        model = LudwigModel(config)
        model.train(dataset=str(rows), model_resume_path=str(tmp_path), random_seed=1, skip_save_processed_input=True)
    trained, reloaded = (
        engine.probabilities(each, engine.predict(each, rows), "party") for each in (model, engine.load(tmp_path))
    )
    pd.testing.assert_frame_equal(trained, reloaded, check_exact=True)
    assert trained["Red"].nunique() > 10


def test_subwords_are_words_between_marks_and_their_pieces() -> None:
    subwords = get_tokenizer_from_registry("subwords")()
    assert subwords("an owl!") == ["<an>", "<an", "an>", "<owl>", "<ow", "owl", "wl>", "<owl", "owl>"]
    assert set(subwords("of owlets")) & set(subwords("the owls")) == {"<ow", "owl", "<owl"}
    assert subwords("") == subwords("a - b") == []
