package docs

import "context"

var _ = plays("docs/scim.md", "Settings for each identity provider", func(ctx context.Context, s *stage, p *player) {
	s.company(ctx, p).directory(ctx, "okta", "")
})
