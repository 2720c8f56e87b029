#pragma once

#include <string_view>

namespace meshdns::authority {

/// Whether one of some authorities has signed the first certificate of a chain, directly or by certificates of the
/// chain in between. Ignores the time: whoever asks has verified the chain before.
///
/// authorities, chain: PEM; false if there is no certificate in one of them
bool vouches(std::string_view authorities, std::string_view chain);

}  // namespace meshdns::authority
