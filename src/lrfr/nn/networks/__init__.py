"""Networks of our own, one file per family; torch alone, timm is not needed to build them."""

from lrfr.nn.networks import (
    centreface,
    deepid2,
    dlib_resnet,
    iresnet,
    irse,
    mobilefacenet,
    resnet,
    rpcn,
    se_resnet,
    sphereface,
    vgg,
)

NETWORKS = {
    **iresnet.NETWORKS,
    **irse.NETWORKS,
    **se_resnet.NETWORKS,
    **resnet.NETWORKS,
    **mobilefacenet.NETWORKS,
    **sphereface.NETWORKS,
    **centreface.NETWORKS,
    **vgg.NETWORKS,
    **deepid2.NETWORKS,
    **rpcn.NETWORKS,
    **dlib_resnet.NETWORKS,
}
