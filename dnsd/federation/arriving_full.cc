#include "dnsd/federation/arriving_full.h"

#include <utility>

#include "common/model/limits.h"

namespace meshdns::federation {

std::optional<ArrivingFull::Refused> ArrivingFull::begin_part(const v1::Full& full) {
  if (full.part() == 0) {
    drop();
    part_ = 0;
  }
  if (!part_ || full.part() != *part_) {
    return Refused{v1::Goodbye::PROTOCOL_ERROR, "parts of a Full are missing", 1s};
  }
  ++*part_;
  if (full.part() == 0 && full.last()) return std::nullopt;  // one part is applied at once: nothing has to be kept
  std::size_t bytes = 0;
  for (const std::string& record : full.endpoints()) bytes += record.size();
  if (encoded_.held() + bytes > kMostBytes) {
    return Refused{v1::Goodbye::OVERLOADED, "the records of a Full have more than 16 MiB", 60s};
  }
  if (!encoded_.grow(bytes)) {
    return Refused{v1::Goodbye::OVERLOADED, "too many agents send everything at once: come back later", 5s};
  }
  return std::nullopt;
}

void ArrivingFull::keep(std::vector<model::Endpoint> endpoints) {
  for (model::Endpoint& endpoint : endpoints) {
    const std::size_t bytes = kept_bytes_ + text_bytes(endpoint);
    if (kept_.size() < model::kMostNodeEndpoints && bytes <= model::kMostNodeBytes) {
      kept_bytes_ = bytes;
      kept_.push_back(std::move(endpoint));
    } else {
      refusals_.add({endpoint.key, "",
                     "a node has at most " + std::to_string(model::kMostNodeEndpoints) + " endpoints with " +
                         std::to_string(model::kMostNodeBytes >> 20) + " MiB of text",
                     false, true});
    }
  }
}

ArrivingFull::Taken ArrivingFull::take() {
  Taken out{std::move(kept_), std::move(refusals_)};
  drop();
  return out;
}

void ArrivingFull::drop() {
  part_.reset();
  kept_ = {};
  kept_bytes_ = 0;
  refusals_ = {};
  encoded_.release();
}

}  // namespace meshdns::federation
