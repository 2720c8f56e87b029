#include "dnsd/ctl/token_view.h"

#include "common/base/table.h"
#include "common/base/text.h"
#include "common/time/time_text.h"
#include "dnsd/ctl/clean.h"

namespace meshdns::ctl {
namespace {

std::string holder_text(const v1::TokenInfo& token) {
  if (token.role() == "operator") return "operator " + token.names() + " (" + token.level() + ")";
  return token.role() + " " + token.cluster() + "/" + token.names();
}

}  // namespace

std::string token_view(const v1::TokenReply& told) {
  const v1::TokenReply reply = cleaned(told);
  if (reply.tokens().empty()) return "there are no tokens\n";
  Table table({"ID", "FOR", "UNTIL", "USES LEFT", "ENROLLED", "FROM", "STATE"});
  for (const v1::TokenInfo& token : reply.tokens()) {
    const std::string from = join({token.prefixes().begin(), token.prefixes().end()}, ", ");
    table.add({token.id(), holder_text(token), time_text(token.expires()), std::to_string(token.uses_left()),
               std::to_string(token.enrolled()), from.empty() ? "anywhere" : from,
               token.revoked() ? "revoked" : "valid"});
  }
  return table.text();
}

}  // namespace meshdns::ctl
