#pragma once

#include "common/identity/gate.h"
#include "dnsd/app/configuration.h"

namespace meshdns::dnsd::app {

/// Returns how a federation finds out which of the authorities that it believes has signed a caller's certificate;
/// empty = all of them may vouch for everybody. The files are read for each certificate, so that an exchange of an
/// authority counts at once.
identity::FindAuthority find_authority(const Configuration& configuration);

}  // namespace meshdns::dnsd::app
