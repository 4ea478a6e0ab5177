"""Random views of a batch of images, one draw per image, on tensors.

Three steps: `draw` makes the random numbers (CPU generator, whole global batch), `render` turns uint8 images
and a draw into views in [0, 1] on the images' device, `normalise` standardises them. The operators are
torchvision's, one parameter per image instead of one per call.
"""

from typing import TYPE_CHECKING

from contrastive import lazy

if TYPE_CHECKING:
    from contrastive.views.colour import brightness as brightness
    from contrastive.views.colour import colour_jitter as colour_jitter
    from contrastive.views.colour import contrast as contrast
    from contrastive.views.colour import greyscale as greyscale
    from contrastive.views.colour import hue as hue
    from contrastive.views.colour import normalise as normalise
    from contrastive.views.colour import saturation as saturation
    from contrastive.views.colour import solarise as solarise
    from contrastive.views.config import Channels as Channels
    from contrastive.views.config import View as View
    from contrastive.views.config import ViewName as ViewName
    from contrastive.views.config import Views as Views
    from contrastive.views.draws import Draw as Draw
    from contrastive.views.draws import draw as draw
    from contrastive.views.geometry import gaussian_blur as gaussian_blur
    from contrastive.views.geometry import horizontal_flip as horizontal_flip
    from contrastive.views.geometry import resized_crop as resized_crop
    from contrastive.views.mixing import Mixture as Mixture
    from contrastive.views.mixing import draw_mixture as draw_mixture
    from contrastive.views.mixing import mix as mix
    from contrastive.views.render import render as render

lazy.publish(__name__)
