<?php
$body = file_get_contents("php://input");
$name = preg_replace("#^/see/#", "", $_SERVER["PATH_INFO"]);
if ($_SERVER["PATH_INFO"] == "/stream") {
    header("Content-Type: text/plain");
    for ($i = 0; $i < 1000; $i++) echo "block $i\n";
    exit;
}
if ($_SERVER["PATH_INFO"] == "/fails") {
    error_log("the application fails");
    http_response_code(500);
    exit;
}
http_response_code(201);
header("Content-Type: text/plain");
header("Set-Cookie: a=1");
header("Set-Cookie: b=2", false);
printf("%s %s %s %d %s", $_SERVER["REQUEST_METHOD"], $name, $_SERVER["QUERY_STRING"], strlen($body), substr(hash("sha256", $body), 0, 16));
