#pragma once

#include <cstdint>
#include <string>

// OpenSSL's X509_STORE_CTX. Its headers stay private to sources.
struct x509_store_ctx_st;

namespace meshdns::rpc {

/// Returns why OpenSSL refuses a certificate that it is verifying. If the time is the reason, the text says which times
/// were compared: "certificate has expired: CN=n7 expired at 2026-11-27T19:40:01Z; this machine's clock says
/// 2026-11-27T20:40:01Z (a clock may be wrong)".
/// now: unix seconds
std::string refusal_text(x509_store_ctx_st& verification, std::int64_t now);

}  // namespace meshdns::rpc
