// Shared by the steps that give a token new PINs: the field that names the quorum
// which gets the shares, and its rules in `check`.
#ifndef CEREMONY_STEPS_SHARE_PLAN_H_
#define CEREMONY_STEPS_SHARE_PLAN_H_

#include <string>

#include "ceremony/script/fields.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

// SharesField is the optional field `shares`: a quorum of the roster.
script::Field SharesField();

// PlanShares plans a new share set for a token whose binding says "shares";
// nothing for another login, or without a binding. Reports:
//   PLAN-SHARES-01  the roster defines no quorum `name`
//   PLAN-SHARES-02  a member has no open_key
//   PLAN-SHARES-03  more than 255 members
// It needs every member in the room, since each of them confirms their share.
void PlanShares(const std::string& token, const std::string& name, PlanContext& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_SHARE_PLAN_H_
