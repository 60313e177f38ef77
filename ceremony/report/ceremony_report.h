// The ceremony report: one HTML file that an auditor reads and prints, and that can
// verify its record (domain: ETSI EN 319 411-1 6.5.1, CA/B BR 6.1.1.1, WebTrust 4.1).
#ifndef CEREMONY_REPORT_CEREMONY_REPORT_H_
#define CEREMONY_REPORT_CEREMONY_REPORT_H_

#include <cstddef>
#include <map>
#include <string>

#include "ceremony/report/report_data.h"

namespace ceremony::report {

// If the log would make the report larger than this, it is left out, and the page asks
// for the file.
inline constexpr std::size_t kMostReportBytes = 5'000'000;

// Files of the record that the page carries, by path: the signed ones and those with
// signatures. Artefacts are left out: sealed shares have no place in a report.
using CarriedFiles = std::map<std::string, std::string>;

// ReadCarriedFiles reads log, checkpoint, addendum, policy and script, if they exist.
base::Result<CarriedFiles> ReadCarriedFiles(const std::string& path, const ReportData& data);

std::string CeremonyReport(const ReportData& data, const CarriedFiles& files);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_CEREMONY_REPORT_H_
