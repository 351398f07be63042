<?php

declare(strict_types=1);

namespace Example\Answers;

use Anthropic\Client as Claude;
use OpenAI\Client;

/** Asks models; see the issue about gpt-3.5-turbo-0613. */
final class Answers
{
    private const MODEL = 'gpt-4o-mini';
    private const PRICES = ['gpt-4o' => 2.5, 'gpt-4-turbo' => 10.0];
    private const OFFERED = ['gpt-4o', 'o3-mini'];

    public function __construct(private Client $client, private Claude $claude)
    {
    }

    public function ask(string $question): string
    {
        $answer = $this->client->chat()->create([
            'model' => self::MODEL,
            'messages' => [['role' => 'user', 'content' => $question]],
            'temperature' => 0.2,
            'max_tokens' => 300,
        ]);

        return $answer->choices[0]->message->content;
    }

    public function reason(string $question): mixed
    {
        return $this->client->chat()->create([
            'model' => 'o4-mini',
            'messages' => [['role' => 'user', 'content' => $question]],
            'temperature' => 0.2,
            'max_tokens' => 300,
        ]);
    }

    public function options(string $question): mixed
    {
        $options = ['model' => 'gpt-5-mini', 'top_p' => 0.3, 'messages' => []];

        return $this->client->chat()->create($options);
    }

    public function respond(string $question): mixed
    {
        return $this->client->responses()->create(['model' => 'gpt-5.4', 'input' => $question, 'temperature' => 0.3]);
    }

    public function assist(): mixed
    {
        return $this->client->assistants()->create(['model' => 'gpt-4o', 'name' => 'Helper']);
    }

    public function claude(string $question): mixed
    {
        return $this->claude->messages()->create([
            'model' => 'claude-opus-4-20250514',
            'max_tokens' => 500,
            'temperature' => 0.3,
            'messages' => [['role' => 'user', 'content' => $question]],
        ]);
    }

    public function named(string $question): mixed
    {
        return $this->claude->messages->create(maxTokens: 200, messages: [], model: 'claude-opus-4-7', temperature: 0.2);
    }

    public function edit(string $text): mixed
    {
        return $this->client->edits()->create(['model' => 'text-davinci-edit-001', 'input' => $text, 'instruction' => 'Shorten.']);
    }

    public function family(string $size): string
    {
        return 'gpt-4o-' . $size;
    }

    public function isKnown(string $model): bool
    {
        // older: 'gpt-4-32k'
        return match ($model) {
            'gpt-4o', 'o1-mini' => true,
            default => in_array($model, self::OFFERED, true),
        };
    }

    public function car(): Car
    {
        throw new \RuntimeException("claude-2.0 was retired");

        return new Car(model: 'o3', temperature: 0.2);
    }
}
