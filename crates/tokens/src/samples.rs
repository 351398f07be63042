//! Texts written for calibrating the estimates (first of each pair) and for checking them (second).

/// A kind of text, one sample to fit with, one to check with.
pub(crate) const SAMPLES: &[(&str, [&str; 2])] = &[
    (
        "english prose",
        [
            "The harbour was quiet when the pilot climbed down the ladder. Rain had fallen since midnight, and the deck of the small boat shone under the lamp. He nodded to the helmsman, checked the tide table once more, and pointed to the gap between the two breakwaters. Nobody spoke. Large ships had gone aground here in better weather, and everyone aboard remembered the winter when the lighthouse stayed dark for three weeks.",
            "A gateway stands between those who ask and those who answer. It reads each request, decides where it should go, and keeps an account of what was spent. People notice it only when it fails, so most of the work goes into failing well: saying what happened, who is at fault, and what to do next. Measured this way, silence is the highest praise that such a program can earn from the people who depend on it every day.",
        ],
    ),
    (
        "english chat",
        [
            "hey, quick question - can you help me rewrite this email so it doesn't sound so harsh? I want to say we're late because the supplier didn't deliver, but I don't want to blame them. Also it should be short, like 3 sentences max. Thanks a lot!",
            "I'm planning a birthday dinner for my mum, she's turning 60 and doesn't eat fish or nuts. There'll be about 12 of us, two kids. What would you cook if you only had one oven and didn't want to spend the whole evening in the kitchen?",
        ],
    ),
    (
        "german",
        [
            "Der Lotse kam kurz vor Sonnenaufgang an Bord. Er begrüßte die Mannschaft, prüfte die Gezeitentabelle und ließ sich den Zustand der Maschinen schildern. Bei diesem Wasserstand blieb nur eine schmale Durchfahrt zwischen den Sandbänken, und die Strömung hatte sich seit gestern deutlich verändert. Trotzdem war er zuversichtlich, dass sie den Hafen rechtzeitig erreichen würden.",
            "Wer Rechnungen prüft, braucht vollständige Aufzeichnungen. Jede Anfrage wird deshalb mit ihrem Verbrauch gespeichert, einschließlich der abgebrochenen Übertragungen, für die der Anbieter keine Zahlen geliefert hat. Schätzungen werden ausdrücklich als solche gekennzeichnet, damit niemand sie mit gemessenen Werten verwechselt.",
        ],
    ),
    (
        "french",
        [
            "Le pilote monta à bord un peu avant l'aube. Il salua l'équipage, vérifia les horaires de marée et demanda qu'on lui décrive l'état des machines. À cette hauteur d'eau, il ne restait qu'un passage étroit entre les bancs de sable, et le courant avait beaucoup changé depuis la veille. Il restait pourtant convaincu qu'ils arriveraient au port à temps.",
            "Pour contrôler une facture, il faut des relevés complets. Chaque requête est donc enregistrée avec sa consommation, y compris les réponses interrompues pour lesquelles le fournisseur n'a donné aucun chiffre. Les estimations sont clairement signalées, afin que personne ne les prenne pour des valeurs mesurées.",
        ],
    ),
    (
        "spanish",
        [
            "El práctico subió a bordo poco antes del amanecer. Saludó a la tripulación, revisó la tabla de mareas y pidió que le explicaran el estado de las máquinas. Con ese nivel de agua solo quedaba un paso estrecho entre los bancos de arena, y la corriente había cambiado mucho desde el día anterior.",
            "Para comprobar una factura hacen falta registros completos. Por eso cada petición se guarda con su consumo, incluidas las respuestas interrumpidas para las que el proveedor no dio ninguna cifra. Las estimaciones se marcan claramente, para que nadie las confunda con valores medidos.",
        ],
    ),
    (
        "russian",
        [
            "Лоцман поднялся на борт незадолго до рассвета. Он поздоровался с командой, проверил таблицу приливов и попросил рассказать о состоянии машин. При таком уровне воды между отмелями оставался лишь узкий проход, а течение со вчерашнего дня заметно изменилось.",
            "Чтобы проверить счёт, нужны полные записи. Поэтому каждый запрос сохраняется вместе с расходом, включая прерванные ответы, для которых поставщик не сообщил никаких чисел. Оценки отмечены отдельно, чтобы никто не принял их за измеренные значения.",
        ],
    ),
    (
        "chinese",
        [
            "天亮之前，引航员登上了船。他向船员们问好，又核对了一遍潮汐表，然后询问机器的状况。在这样的水位下，沙洲之间只剩下一条狭窄的航道，而水流从昨天起已经有了明显的变化。尽管如此，他仍然相信他们能够按时到达港口。",
            "要核对账单，就需要完整的记录。因此每个请求都连同它的用量一起保存，包括那些中途断开、供应商没有给出任何数字的回答。估算值会明确标注出来，以免有人把它们当成实际测量的结果。",
        ],
    ),
    (
        "japanese",
        [
            "夜明け前に、水先案内人が船に乗り込んだ。彼は乗組員にあいさつをし、潮汐表をもう一度確かめてから、機関の状態について尋ねた。この水位では砂州の間に狭い水路しか残っておらず、流れは昨日から大きく変わっていた。それでも彼は、時間どおりに港に着けると信じていた。",
            "請求書を確かめるには、完全な記録が必要です。そのため、すべてのリクエストは使用量と一緒に保存されます。途中で切れてしまい、提供元から数値が届かなかった応答も含まれます。見積もりの値には印が付けられ、測定値と間違えることはありません。",
        ],
    ),
    (
        "korean",
        [
            "동이 트기 전에 도선사가 배에 올랐다. 그는 선원들에게 인사를 하고 조석표를 다시 확인한 뒤 기관의 상태를 물었다. 이 수위에서는 모래톱 사이에 좁은 물길만 남아 있었고, 물살은 어제부터 크게 달라져 있었다.",
            "청구서를 확인하려면 완전한 기록이 필요합니다. 그래서 모든 요청은 사용량과 함께 저장되며, 도중에 끊겨 공급자가 수치를 주지 않은 응답도 포함됩니다. 추정한 값은 분명하게 표시됩니다.",
        ],
    ),
    (
        "arabic",
        [
            "صعد المرشد إلى السفينة قبل شروق الشمس بقليل. حيا الطاقم وراجع جدول المد والجزر مرة أخرى ثم سأل عن حالة المحركات. عند هذا المستوى من الماء لم يبق سوى ممر ضيق بين الرمال، وكان التيار قد تغير كثيرا منذ أمس.",
            "للتحقق من الفاتورة لا بد من سجلات كاملة. لذلك يحفظ كل طلب مع استهلاكه، بما في ذلك الردود المقطوعة التي لم يقدم المزود أي أرقام لها. وتوضع علامة واضحة على التقديرات حتى لا يظنها أحد قيما مقيسة.",
        ],
    ),
    (
        "hindi",
        [
            "सूरज निकलने से थोड़ा पहले पायलट जहाज़ पर चढ़ा। उसने चालक दल का अभिवादन किया, ज्वार की तालिका फिर से देखी और इंजनों की हालत के बारे में पूछा। पानी के इस स्तर पर रेत के टीलों के बीच केवल एक सँकरा रास्ता बचा था।",
            "बिल की जाँच करने के लिए पूरे रिकॉर्ड चाहिए। इसलिए हर अनुरोध अपनी खपत के साथ सहेजा जाता है, उन उत्तरों के साथ भी जो बीच में टूट गए और जिनके लिए कोई संख्या नहीं मिली। अनुमान साफ़ तौर पर चिह्नित होते हैं।",
        ],
    ),
    (
        "rust",
        [
            "impl Ledger {\n    /// Adds an entry; returns its index.\n    pub fn push(&mut self, entry: Entry) -> Result<usize, Full> {\n        if self.entries.len() == self.capacity {\n            return Err(Full { capacity: self.capacity });\n        }\n        self.total_cost = self.total_cost.saturating_add(entry.cost);\n        self.entries.push(entry);\n        Ok(self.entries.len() - 1)\n    }\n}\n",
            "fn parse_header(line: &[u8]) -> Option<(&str, &str)> {\n    let colon = line.iter().position(|&byte| byte == b':')?;\n    let (name, value) = line.split_at(colon);\n    let name = std::str::from_utf8(name).ok()?.trim_end();\n    let value = std::str::from_utf8(&value[1..]).ok()?.trim();\n    (!name.is_empty()).then_some((name, value))\n}\n\n#[derive(Clone, Debug)]\nstruct HeaderMap { items: Vec<(String, String)>, max_bytes: usize }\n",
        ],
    ),
    (
        "python",
        [
            "def moving_average(values, window=5):\n    \"\"\"Return the moving average of values.\"\"\"\n    if window <= 0:\n        raise ValueError(\"window must be positive\")\n    result = []\n    total = 0.0\n    for index, value in enumerate(values):\n        total += value\n        if index >= window:\n            total -= values[index - window]\n        result.append(total / min(index + 1, window))\n    return result\n",
            "class RetryPolicy:\n    def __init__(self, max_attempts: int = 3, base_delay: float = 0.5):\n        self.max_attempts = max_attempts\n        self.base_delay = base_delay\n\n    def run(self, func, *args, **kwargs):\n        for attempt in range(self.max_attempts):\n            try:\n                return func(*args, **kwargs)\n            except ConnectionError as error:\n                if attempt + 1 == self.max_attempts:\n                    raise\n                time.sleep(self.base_delay * 2 ** attempt)\n",
        ],
    ),
    (
        "javascript",
        [
            "export async function loadUser(id, { signal } = {}) {\n  const response = await fetch(`/api/users/${encodeURIComponent(id)}`, { signal });\n  if (!response.ok) {\n    throw new Error(`Request failed: ${response.status}`);\n  }\n  const { name, email, roles = [] } = await response.json();\n  return { id, name, email, isAdmin: roles.includes('admin') };\n}\n",
            "const groupBy = (items, keyOf) => items.reduce((groups, item) => {\n  const key = keyOf(item);\n  (groups[key] ??= []).push(item);\n  return groups;\n}, {});\n\ndocument.querySelectorAll('.tab').forEach((tab) => {\n  tab.addEventListener('click', () => {\n    setActiveTab(tab.dataset.target);\n    window.history.pushState({}, '', `#${tab.id}`);\n  });\n});\n",
        ],
    ),
    (
        "json",
        [
            "{\"id\":\"ord_5591\",\"status\":\"shipped\",\"customer\":{\"name\":\"Ada Brown\",\"email\":\"ada@example.com\",\"city\":\"Leeds\"},\"items\":[{\"sku\":\"KB-104\",\"quantity\":2,\"unit_price\":49.5},{\"sku\":\"MS-220\",\"quantity\":1,\"unit_price\":19.99}],\"total\":118.99,\"paid\":true,\"notes\":null}",
            "{\n  \"type\": \"object\",\n  \"properties\": {\n    \"city\": { \"type\": \"string\", \"description\": \"Name of the city\" },\n    \"days\": { \"type\": \"integer\", \"minimum\": 1, \"maximum\": 14 },\n    \"units\": { \"type\": \"string\", \"enum\": [\"metric\", \"imperial\"] }\n  },\n  \"required\": [\"city\"],\n  \"additionalProperties\": false\n}",
        ],
    ),
    (
        "log",
        [
            "2026-03-14T09:26:53.589Z INFO  gateway::proxy request finished method=POST path=/v1/chat/completions status=200 duration_ms=1843 bytes=20481 key=team-search\n2026-03-14T09:26:54.012Z WARN  gateway::pool connection reset by peer upstream=eu-west-1 attempt=2\n2026-03-14T09:26:54.377Z ERROR gateway::auth invalid api key client=10.0.3.17\n",
            "[12/Jul/2026:18:02:11 +0000] \"GET /static/app.css HTTP/1.1\" 304 0 \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n[12/Jul/2026:18:02:12 +0000] \"POST /login HTTP/1.1\" 302 154 \"https://shop.example.org/\" \"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_2)\"\n[12/Jul/2026:18:02:15 +0000] \"GET /account/orders?page=3 HTTP/1.1\" 200 8812\n",
        ],
    ),
    (
        "markdown",
        [
            "# Deploying\n\n1. Build the image: `docker build -t app:latest .`\n2. Push it to the registry.\n3. Run **one** replica first and watch `/metrics`.\n\n| Setting | Default | Meaning |\n| --- | --- | --- |\n| `workers` | 4 | Threads that serve requests |\n| `timeout` | 30 s | Time until a request is dropped |\n\n> Never deploy on a Friday.\n",
            "## What changed\n\n- **Faster start**: tables load when they are first used ([details](docs/start.md)).\n- Fixed: a request without messages was counted as *three* tokens.\n- The option `--strict` is now the default; use `--no-strict` to go back.\n\n```sh\napp check --config ./app.toml\n```\n",
        ],
    ),
    (
        "html",
        [
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Orders</title></head>\n<body>\n<ul class=\"orders\">\n<li><a href=\"/orders/17\">Order 17</a> <span class=\"price\">12.50</span></li>\n<li><a href=\"/orders/18\">Order 18</a> <span class=\"price\">7.25</span></li>\n</ul>\n</body></html>\n",
            "<form action=\"/search\" method=\"get\" role=\"search\">\n  <label for=\"q\">Search the catalogue</label>\n  <input id=\"q\" name=\"q\" type=\"text\" placeholder=\"Author or title\" required>\n  <button type=\"submit\" class=\"btn btn-primary\">Search</button>\n</form>\n",
        ],
    ),
    (
        "numbers",
        [
            "month,revenue,cost,margin\n2025-01,182344.10,120931.77,33.68\n2025-02,190012.54,125400.02,34.00\n2025-03,201877.90,131118.45,35.05\n2025-04,176500.00,119870.31,32.09\n2025-05,214321.66,140022.90,34.67\n",
            "id;x;y;weight\n1001;12.4417;-3.9921;70\n1002;15.0034;-4.1178;65\n1003;9.8812;0.0045;81\n1004;11.2290;2.7714;77\n1005;14.5561;-1.3307;69\n1006;10.1028;3.6650;74\n",
        ],
    ),
    (
        "identifiers",
        [
            "7f3c9a52-1d84-4e0b-9c6e-a25d0b8f4417 req_01HZX4T9QKJ8W2M5VN7C3RBYDA sha256:9b74c9897bac770ffc029102a200c5de0f1e2d3c4b5a69788796a5b4c3d2e1f0 https://files.example.com/a/b/c?sig=Zk3qPf8vLw0TtYxN2mRb",
            "c0a81e6b-52f7-4b39-8d1e-6f94e3a7b215 call_Qm7tXz4LpR9vKc2Wn8Yb5Hd3 aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXN0IG9mIGVuY29kaW5n etag:\"5f8a1c3e7d9b2046\" 0xdeadbeef4badf00d",
        ],
    ),
    (
        "emoji",
        [
            "Just landed!! ✈️😍 can't wait to see everyone tonight 🎉🎉 who's bringing the cake?? 🍰 also it's SO hot here 🥵☀️ — 34 °C → beach first 🏖️",
            "omg yes!!! 🙌🙌 that goal in the last minute ⚽🔥 I'm still shaking 😂 see you at 8 → same bar as always 🍻 don't be late ⏰😉",
        ],
    ),
];
