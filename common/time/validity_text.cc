#include "common/time/validity_text.h"

#include "common/time/time_text.h"

namespace meshdns {

std::string validity_problem(std::int64_t not_before, std::int64_t not_after, std::int64_t now) {
  if (now > not_after) return "expired at " + time_text(not_after);
  return now < not_before ? "not valid before " + time_text(not_before) : "";
}

std::string clock_hint(std::int64_t now) {
  return "this machine's clock says " + time_text(now) + " (a clock may be wrong)";
}

}  // namespace meshdns
