<?php
// A storefront's receiver: it obeys the signed webhook, keeps the newest state on
// disk, and tells the checkout whether it may take money. PHP 8.1 or newer, 64 bit.
//
//   WEBHOOK_SECRET=whsec_… STATE_FILE=checkout.json php -S 127.0.0.1:9000 receiver.php
declare(strict_types=1);

/** Two secrets, with a space between, while one replaces the other. */
function keys(): array
{
    $keys = [];
    foreach (preg_split('/\s+/', (string) getenv('WEBHOOK_SECRET'), -1, PREG_SPLIT_NO_EMPTY) as $secret) {
        $keys[] = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    }
    if ($keys === [] || min(array_map('strlen', $keys)) < 24) {
        throw new RuntimeException('WEBHOOK_SECRET is not a whsec_… secret');
    }
    return $keys;
}

function authentic(string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if ($id === '' || !ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    foreach (keys() as $key) {
        $want = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $given) {
            if (hash_equals($want, $given)) {
                return true;
            }
        }
    }
    return false;
}

/** A broken file throws: better no shop than one that forgot it is closed. */
function state(): array
{
    $file = getenv('STATE_FILE');
    return file_exists($file)
        ? json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR)
        : ['checkout' => 'on', 'revision' => 0];
}

/** The lock keeps two webhooks that come at once from overtaking each other. */
function obey(array $newer): void
{
    $file = getenv('STATE_FILE');
    $lock = fopen("$file.lock", 'c');
    if (!$lock || !flock($lock, LOCK_EX)) {
        throw new RuntimeException("cannot lock $file");
    }
    if ($newer['revision'] <= state()['revision']) {
        return;
    }
    $text = json_encode($newer, JSON_THROW_ON_ERROR);
    $new = fopen("$file.new", 'w');
    if (!$new || fwrite($new, $text) !== strlen($text) || !fsync($new) || !fclose($new) || !rename("$file.new", $file)) {
        throw new RuntimeException("cannot write $file");
    }
}

function receive(): int
{
    $body = file_get_contents('php://input', false, null, 0, 65537);
    if (strlen($body) > 65536 || !authentic($body)) {
        return 401;
    }
    $payload = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
    if (in_array($payload['type'], ['storefront.closed', 'storefront.opened'], true)) { // a test is not obeyed
        obey($payload['data']);
    }
    return 204;
}

function checkout(): void
{
    $state = state();
    if ($state['checkout'] !== 'off') {
        http_response_code(200);
        echo "open\n";
        return;
    }
    http_response_code(503);
    header('Retry-After: ' . (isset($state['until']) ? max(60, strtotime($state['until']) - time()) : 3600));
    header('Content-Type: text/plain; charset=utf-8');
    echo "closed: {$state['message']}\n";
}

http_response_code(500); // unless all goes well, so that nothing lost is acknowledged
$route = $_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($route === 'POST /hooks/closure') {
    http_response_code(receive());
} elseif ($route === 'GET /checkout') {
    checkout();
} else {
    http_response_code(404);
}
