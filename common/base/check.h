#pragma once

namespace meshdns::internal {
[[noreturn]] void check_failed(const char* file, int line, const char* condition);
}

/// Aborts in every build when a broken invariant is met. Never on input from network, disk or config.
#define MESHDNS_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::meshdns::internal::check_failed(__FILE__, __LINE__, #condition))
