def test_the_answer_names_its_model():
    recorded = {"model": "gpt-4-turbo-preview"}
    assert recorded["model"]
