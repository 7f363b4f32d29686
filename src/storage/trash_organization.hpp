#pragma once

/// Whom deleted objects belong to until they come back or their time is over (trash.hpp). As a macro, for statements.
#define STELE_TRASH_ORGANIZATION_ID "org-00000000-0000-4000-8000-0000000de1ed"
