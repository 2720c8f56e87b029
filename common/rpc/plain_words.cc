#include "common/rpc/plain_words.h"

#include <array>
#include <optional>
#include <utility>

#include "common/base/text.h"

namespace meshdns::rpc {
namespace {

/// Returns the text after the last `mark`; nothing = `mark` is not in the text.
std::optional<std::string_view> after(std::string_view text, std::string_view mark) {
  const auto at = text.rfind(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return text.substr(at + mark.size());
}

std::string begun_small(std::string_view text) {
  std::string out(text);
  if (!out.empty()) out.front() = ascii_lower(out.front());
  return out;
}

/// Returns "fed.example:7400 cannot be resolved: domain name not found", if the message is about a failed resolution.
std::optional<std::string> resolution(std::string_view message) {
  constexpr std::string_view kBegin = "DNS resolution failed for ";
  if (!message.starts_with(kBegin)) return std::nullopt;
  message.remove_prefix(kBegin.size());
  const std::string name(message.substr(0, message.find(": ")));
  return name + " cannot be resolved: " + begun_small(*after(message, ": "));
}

}  // namespace

std::string plain_words(std::string_view message) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kWords = {{
      {"Socket closed", "the connection was closed"},
      {"keepalive watchdog timeout", "it did not answer in time"},
      {"GOAWAY received", "it closes its connections"},
      {"Broken pipe", "the connection was closed"},
  }};
  if (auto words = resolution(message)) return *words;
  if (const auto at = message.rfind(kNotExpected); at != std::string_view::npos) return std::string(message.substr(at));
  const auto says = [message](std::string_view words) { return message.find(words) != std::string_view::npos; };
  if (says("Ssl handshake failed") || says("Tls handshake failed")) {
    if (const auto reason = after(message, "::")) return "TLS handshake failed: " + std::string(*reason);
  }
  for (const auto& [theirs, ours] : kWords) {
    if (message.ends_with(theirs)) return std::string(ours);
  }
  for (const std::string_view mark : {"Failed to connect to remote host: ", "recvmsg:"}) {
    if (const auto reason = after(message, mark)) return begun_small(*reason);
  }
  return std::string(message);
}

}  // namespace meshdns::rpc
