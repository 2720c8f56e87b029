#include "tests/bench/federation/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace meshdns::bench {
namespace {

constexpr std::uint64_t kPerOctave = 64;

std::size_t bucket_of(std::uint64_t microseconds) {
  if (microseconds < kPerOctave) return microseconds;
  const auto octave = static_cast<std::uint64_t>(std::bit_width(microseconds)) - 7;  // shifted by it: 64 to 127
  return octave * kPerOctave + (microseconds >> octave);
}

std::uint64_t highest_of(std::size_t bucket) {
  if (bucket < kPerOctave) return bucket;
  const std::uint64_t octave = bucket / kPerOctave - 1;
  return ((bucket % kPerOctave + kPerOctave + 1) << octave) - 1;
}

double milliseconds(Duration value) { return std::chrono::duration<double, std::milli>(value).count(); }

}  // namespace

void Histogram::add(Duration value) {
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(value / 1us, 0)));
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  ++counts_[bucket];
  ++count_;
  longest_ = std::max(longest_, value);
}

void Histogram::clear() { *this = {}; }

Duration Histogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen > 0 && seen >= wanted) return std::min<Duration>(std::chrono::microseconds(highest_of(bucket)), longest_);
  }
  return longest_;
}

std::string Histogram::json() const {
  return fmt::format(R"({{"n": {}, "p50": {:.3f}, "p90": {:.3f}, "p99": {:.3f}, "max": {:.3f}}})", count_,
                     milliseconds(quantile(0.5)), milliseconds(quantile(0.9)), milliseconds(quantile(0.99)),
                     milliseconds(longest_));
}

}  // namespace meshdns::bench
