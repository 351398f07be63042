<?php

use OpenAI\Client;

// gpt-4 was here
function ask(Client $client, string $text, bool $isCold)
{
    $options = ['model' => 'gpt-5-mini', 'messages' => [['role' => 'user', 'content' => $text]]];
    if ($isCold) {
        $options['temperature'] = 0.1;
    }

    return $client->chat()->create(array_merge($options, ['stop' => ['END']]));
}

function heat(array $oven): array
{
    $oven['temperature'] = 180;

    return $oven;
}

function label(string $id): string
{
    return match ($id) {
        'gpt-4o', 'gpt-4-turbo' => 'Omni',
        default => $id,
    };
}
