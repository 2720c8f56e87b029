#include "dnsd/query/reverse.h"

#include <algorithm>

#include "dnsd/wire/reverse_name.h"

namespace meshdns::query {

Reverse find_reverse(const answers::AnswerTable& table, const wire::FoldedName& name) noexcept {
  if (table.reverse.empty()) return {};
  const auto read = wire::read_reverse_name(name);
  if (!read) return {};
  for (std::size_t labels = read->labels; labels > 0; --labels) {
    if (!table.reverse.any_in(read->prefix(labels))) continue;
    Reverse out;
    out.below = read->unread + read->labels - labels;
    if (out.below != 0 || !read->complete()) return out;
    out.address = read->address;
    out.host = table.host(table.reverse.find(read->address)->host);
    return out;
  }
  return {};
}

std::optional<std::uint16_t> find_row(const answers::Host& host, const IpAddress& address) noexcept {
  for (std::size_t row = 0; row < host.endpoints().size(); ++row) {
    const answers::EndpointTraits& traits = host.traits(row);
    const bool has = address.is_v4() ? traits.knows_v4() && std::ranges::equal(host.rows()[row].v4, address.bytes())
                                     : traits.knows_v6() && std::ranges::equal(host.v6(row), address.bytes());
    if (has) return static_cast<std::uint16_t>(row);
  }
  return std::nullopt;
}

}  // namespace meshdns::query
