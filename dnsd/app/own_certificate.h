#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "dnsd/app/configuration.h"
#include "dnsd/enrolment/own_certificate.h"

namespace meshdns::dnsd::app {

/// Returns how a federation signs its own certificate. The addresses follow the configuration and the machine:
/// `federation.addresses`, the host's name, and the address that the port is bound to; for any address, all of the
/// machine's.
/// requires: Configuration::signs_own(). The configuration must outlive the result
enrolment::OwnCertificate::Options own_certificate(const Configuration& configuration);

/// Checks whether the authority of a federation can sign now.
/// errors: with the folder and the reason
Result<void> check_authority(const Configuration& configuration, std::int64_t unix_seconds);

}  // namespace meshdns::dnsd::app
