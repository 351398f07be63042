import pytest

from triage import classify


@pytest.mark.parametrize("model", ["gpt-4o", "o3", "claude-3-opus-20240229"])
def test_every_model_is_accepted(model, monkeypatch):
    monkeypatch.setenv("TRIAGE_MODEL", model)
    assert classify("The bill is wrong") == "billing"


def test_request_as_recorded(openai_mock):
    openai_mock.expect(body={"model": "gpt-3.5-turbo-0613", "temperature": 0.2})
    answer = openai_mock.chat.completions.create(model="gpt-5-mini", temperature=0.2, messages=[])
    assert answer.model == "gpt-5-mini-2025-08-07"
