import anthropic
from anthropic import Anthropic, AsyncAnthropic

claude = Anthropic()
SONNET = "claude-sonnet-4-5"
OPUS = "claude-opus-4-7"


def plan(task):
    return claude.messages.create(
        model=OPUS,
        max_tokens=8000,
        temperature=0.7,
        thinking={"type": "enabled", "budget_tokens": 4000},
        messages=[{"role": "user", "content": task}],
    )


def draft(task):
    return claude.messages.create(
        model=SONNET,
        max_tokens=2048,
        temperature=0.2,
        messages=[
            {"role": "user", "content": task},
            {"role": "assistant", "content": "{"},
        ],
    )


def to_json(task):
    return claude.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=2048,
        messages=[
            {"role": "user", "content": task},
            {"role": "assistant", "content": "{"},
        ],
    )


def think_a_little(task):
    with claude.messages.stream(
        model="claude-haiku-4-5",
        max_tokens=20000,
        thinking={"type": "enabled", "budget_tokens": 8000},
        messages=[{"role": "user", "content": task}],
    ) as stream:
        return stream.get_final_message()


def adaptive(task):
    return claude.messages.create(
        model="claude-opus-4-8",
        max_tokens=16000,
        thinking={"type": "adaptive"},
        output_config={"effort": "medium"},
        top_k=40,
        messages=[{"role": "user", "content": task}],
    )


def edit(path, wish):
    return claude.beta.messages.create(
        model="claude-opus-4-6",
        max_tokens=4096,
        tools=[
            {"type": "text_editor_20250124", "name": "str_replace_editor"},
            {"type": "bash_20250124", "name": "bash"},
        ],
        messages=[{"role": "user", "content": f"{wish} in {path}"}],
    )


def edit_well(path, wish):
    return claude.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=4096,
        tools=[{"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}],
        messages=[{"role": "user", "content": f"{wish} in {path}"}],
    )


def edit_wrong_name(path, wish):
    return claude.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=4096,
        tools=[{"type": "text_editor_20250728", "name": "str_replace_editor"}],
        messages=[{"role": "user", "content": f"{wish} in {path}"}],
    )


async def both(task):
    nucleus = AsyncAnthropic()
    return await nucleus.messages.create(
        model="claude-opus-4-5", max_tokens=1024, temperature=0.5, top_p=0.9,
        messages=[{"role": "user", "content": task}])


def old_text(prompt):
    return claude.completions.create(
        model="claude-2.1",
        max_tokens_to_sample=300,
        prompt=f"{anthropic.HUMAN_PROMPT} {prompt}{anthropic.AI_PROMPT}",
    )


def dated():
    names = claude.models.list()
    return claude.messages.create(model="claude-3-5-sonnet-20241022", max_tokens=64, messages=[]), names


def newest():
    return claude.messages.create(model="claude-3-7-sonnet-latest", max_tokens=64, messages=[])


def alias_of_four():
    return claude.messages.create(model="claude-sonnet-4-0", max_tokens=64, messages=[])
