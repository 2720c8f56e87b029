#include "agent/mapping/nftables.h"

#include <nftables/libnftables.h>

#include <string_view>

#include "common/base/text.h"

namespace meshdns::mapping {
namespace {

/// Returns what is wrong, of nft's error "/dev/stdin:1:1-8: Error: Could not process rule: Operation not permitted".
Error error_of(std::string_view text) {
  constexpr std::string_view kMark = "Error: ";
  std::string_view line = text.substr(0, text.find('\n'));
  if (const auto mark = line.find(kMark); mark != std::string_view::npos) line.remove_prefix(mark + kMark.size());
  const bool denied = line.find("Operation not permitted") != std::string_view::npos;
  const bool missing = line.find("No such file or directory") != std::string_view::npos;
  const std::string why = line.empty() ? "nftables: unknown error" : "nftables: " + std::string(trim(line));
  if (!denied) return {missing ? Code::NotFound : Code::FailedPrecondition, why};
  return {Code::PermissionDenied, "nftables: not permitted: the agent needs CAP_NET_ADMIN"};
}

std::string text_of(const char* buffer) { return buffer == nullptr ? std::string() : std::string(buffer); }

}  // namespace

struct Nftables::Context {
  Context() : nft(nft_ctx_new(NFT_CTX_DEFAULT)) {
    if (nft == nullptr) return;
    buffered = nft_ctx_buffer_output(nft) == 0 && nft_ctx_buffer_error(nft) == 0;
  }
  ~Context() {
    if (nft != nullptr) nft_ctx_free(nft);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  nft_ctx* nft;
  bool buffered = false;
};

Nftables::Nftables() : context_(std::make_unique<Context>()) {}
Nftables::~Nftables() = default;

Result<std::string> Nftables::run(const std::string& commands) {
  if (!context_->buffered) return Error(Code::Unavailable, "nftables: no context");
  const int failed = nft_run_cmd_from_buffer(context_->nft, commands.c_str());
  // both buffers begin anew with the next run
  if (failed != 0) return error_of(text_of(nft_ctx_get_error_buffer(context_->nft)));
  return text_of(nft_ctx_get_output_buffer(context_->nft));
}

}  // namespace meshdns::mapping
